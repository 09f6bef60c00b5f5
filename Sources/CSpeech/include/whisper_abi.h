// The binary interface of libwhisper 1.8.5, as far as this program calls it. The library is opened at run time, so only
// types are declared. Both parameter structures travel by value: the order and the types of their fields are part of
// the interface.

#ifndef PARLEY_WHISPER_ABI_H
#define PARLEY_WHISPER_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parley_whisper_context_params {
  bool use_gpu;
  bool flash_attn;
  int gpu_device;
  bool dtw_token_timestamps;
  int dtw_preset;
  int dtw_n_top;
  struct {
    size_t count;
    const void *heads;
  } dtw_heads;
  size_t dtw_mem_size;
};

struct parley_whisper_full_params {
  int strategy;
  int n_threads;
  int n_max_text_ctx;
  int offset_ms;
  int duration_ms;

  bool translate;
  bool no_context;
  bool no_timestamps;
  bool single_segment;
  bool print_special;
  bool print_progress;
  bool print_realtime;
  bool print_timestamps;

  bool token_timestamps;
  float thold_pt;
  float thold_ptsum;
  int max_len;
  bool split_on_word;
  int max_tokens;

  bool debug_mode;
  int audio_ctx;
  bool tdrz_enable;

  const char *suppress_regex;
  const char *initial_prompt;
  bool carry_initial_prompt;
  const int32_t *prompt_tokens;
  int prompt_n_tokens;

  const char *language;
  bool detect_language;

  bool suppress_blank;
  bool suppress_nst;

  float temperature;
  float max_initial_ts;
  float length_penalty;
  float temperature_inc;
  float entropy_thold;
  float logprob_thold;
  float no_speech_thold;

  struct {
    int best_of;
  } greedy;
  struct {
    int beam_size;
    float patience;
  } beam_search;

  const void *new_segment_callback;
  void *new_segment_user_data;
  const void *progress_callback;
  void *progress_user_data;
  const void *encoder_begin_callback;
  void *encoder_begin_user_data;
  bool (*abort_callback)(void *user_data);
  void *abort_user_data;
  const void *logits_filter_callback;
  void *logits_filter_user_data;

  const void *grammar_rules;
  size_t n_grammar_rules;
  size_t i_start_rule;
  float grammar_penalty;

  bool vad;
  const char *vad_model_path;
  struct {
    float threshold;
    int min_speech_duration_ms;
    int min_silence_duration_ms;
    float max_speech_duration_s;
    int speech_pad_ms;
    float samples_overlap;
  } vad_params;
};

// What the library itself was compiled with, wherever pointers have 64 bits.
_Static_assert(sizeof(void *) != 8 || sizeof(struct parley_whisper_full_params) == 304, "whisper_full_params");
_Static_assert(sizeof(void *) != 8 || sizeof(struct parley_whisper_context_params) == 48, "whisper_context_params");

#endif
