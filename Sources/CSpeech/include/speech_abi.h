// The parts of three C interfaces that the voices use: espeak-ng 1.51, flite 2.2 and ONNX Runtime 1.28. Their libraries
// are opened at run time and need not be there to build, so these are the types of functions and not the functions.
// Written from the published interfaces; a layout here is a promise of the library's ABI and must not be "improved".
#ifndef PARLEY_SPEECH_ABI_H
#define PARLEY_SPEECH_ABI_H

#include <stddef.h>
#include <stdint.h>

// ---------------------------------------------------------------------------------------------------- espeak-ng

enum {
  PARLEY_ESPEAK_OUTPUT_SYNCHRONOUS = 2,
  PARLEY_ESPEAK_DONT_EXIT = 0x8000,
  PARLEY_ESPEAK_UTF8 = 1,
  PARLEY_ESPEAK_END_PAUSE = 0x1000,
  PARLEY_ESPEAK_POSITION_CHARACTER = 1,
  PARLEY_ESPEAK_PARAMETER_RATE = 1,
  PARLEY_ESPEAK_PHONEMES_IPA = 2,
};

// The last event of a callback's list has the type 0 and carries `user_data` too.
typedef struct {
  int32_t type;
  uint32_t unique_identifier;
  int32_t text_position;
  int32_t length;
  int32_t audio_position;
  int32_t sample;
  void *user_data;
  union {
    int32_t number;
    const char *name;
    char string[8];
  } id;
} parley_espeak_event;

// `languages` is a list of a priority byte and a C string each, ended by a zero byte.
typedef struct {
  const char *name;
  const char *languages;
  const char *identifier;
  uint8_t gender;
  uint8_t age;
  uint8_t variant;
  uint8_t reserved;
  int32_t score;
  void *spare;
} parley_espeak_voice;

// `samples` is null at the end of an utterance. Returns 0 to go on.
typedef int (*parley_espeak_callback)(int16_t *samples, int count, parley_espeak_event *events);

typedef int (*parley_espeak_initialize)(int output, int buffer_milliseconds, const char *path, int options);
typedef const char *(*parley_espeak_info)(const char **data_path);
typedef void (*parley_espeak_set_synth_callback)(parley_espeak_callback callback);
typedef int (*parley_espeak_set_voice_by_name)(const char *name);
typedef int (*parley_espeak_set_parameter)(int parameter, int value, int is_relative);
typedef int (*parley_espeak_synth)(
    const void *text, size_t size, unsigned position, int position_type, unsigned end_position, unsigned flags,
    unsigned *unique_identifier, void *user_data);
// Moves `text` on by one clause, to null after the last. The result lives until the next call.
typedef const char *(*parley_espeak_text_to_phonemes)(const void **text, int text_mode, int phoneme_mode);
// A list ended by null; of the variants if `specification` has the language "variant".
typedef const parley_espeak_voice *const *(*parley_espeak_list_voices)(parley_espeak_voice *specification);

// -------------------------------------------------------------------------------------------------------- flite

typedef struct {
  const char *type;
  int sample_rate;
  int num_samples;
  int num_channels;
  int16_t *samples;
} parley_flite_wave;

// The beginning of the voice; the rest is of no interest.
typedef struct {
  const char *name;
  void *features;
} parley_flite_voice;

typedef int (*parley_flite_init)(void);
typedef parley_flite_voice *(*parley_flite_register_voice)(const char *folder);
typedef parley_flite_wave *(*parley_flite_text_to_wave)(const char *text, parley_flite_voice *voice);
typedef void (*parley_flite_delete_wave)(parley_flite_wave *wave);
typedef void (*parley_flite_set_float)(void *features, const char *name, float value);

// ------------------------------------------------------------------------------------------------- ONNX Runtime

// The interface is one table of functions to which every version only appends. Version 14 has all that is used here.
enum {
  PARLEY_ORT_API_VERSION = 14,

  PARLEY_ORT_GET_ERROR_MESSAGE = 2,
  PARLEY_ORT_CREATE_ENV = 3,
  PARLEY_ORT_CREATE_SESSION = 7,
  PARLEY_ORT_RUN = 9,
  PARLEY_ORT_CREATE_SESSION_OPTIONS = 10,
  PARLEY_ORT_SET_INTRA_OP_THREADS = 24,
  PARLEY_ORT_SET_INTER_OP_THREADS = 25,
  PARLEY_ORT_CREATE_TENSOR_WITH_DATA = 49,
  PARLEY_ORT_GET_TENSOR_DATA = 51,
  PARLEY_ORT_GET_ELEMENT_TYPE = 60,
  PARLEY_ORT_GET_ELEMENT_COUNT = 64,
  PARLEY_ORT_GET_TYPE_AND_SHAPE = 65,
  PARLEY_ORT_CREATE_CPU_MEMORY_INFO = 69,
  PARLEY_ORT_RELEASE_ENV = 92,
  PARLEY_ORT_RELEASE_STATUS = 93,
  PARLEY_ORT_RELEASE_MEMORY_INFO = 94,
  PARLEY_ORT_RELEASE_SESSION = 95,
  PARLEY_ORT_RELEASE_VALUE = 96,
  PARLEY_ORT_RELEASE_TYPE_AND_SHAPE = 99,
  PARLEY_ORT_RELEASE_SESSION_OPTIONS = 100,

  PARLEY_ORT_LOG_ERROR = 3,
  PARLEY_ORT_FLOAT = 1,
  PARLEY_ORT_INT64 = 7,
};

typedef struct {
  const void *const *(*get_api)(uint32_t version);
  const char *(*get_version_string)(void);
} parley_ort_api_base;

typedef const parley_ort_api_base *(*parley_ort_get_api_base)(void);

typedef struct parley_ort_status parley_ort_status;
typedef struct parley_ort_env parley_ort_env;
typedef struct parley_ort_session parley_ort_session;
typedef struct parley_ort_session_options parley_ort_session_options;
typedef struct parley_ort_memory_info parley_ort_memory_info;
typedef struct parley_ort_value parley_ort_value;
typedef struct parley_ort_shape parley_ort_shape;

// A null status is success; any other must be released.
typedef const char *(*parley_ort_get_error_message)(const parley_ort_status *status);
typedef parley_ort_status *(*parley_ort_create_env)(int level, const char *name, parley_ort_env **out);
typedef parley_ort_status *(*parley_ort_create_session)(
    const parley_ort_env *env, const char *path, const parley_ort_session_options *options, parley_ort_session **out);
typedef parley_ort_status *(*parley_ort_run)(
    parley_ort_session *session, const void *run_options, const char *const *input_names,
    const parley_ort_value *const *inputs, size_t input_count, const char *const *output_names, size_t output_count,
    parley_ort_value **outputs);
typedef parley_ort_status *(*parley_ort_create_session_options)(parley_ort_session_options **out);
typedef parley_ort_status *(*parley_ort_set_threads)(parley_ort_session_options *options, int count);
typedef parley_ort_status *(*parley_ort_create_tensor)(
    const parley_ort_memory_info *memory, void *bytes, size_t size, const int64_t *shape, size_t rank, int type,
    parley_ort_value **out);
typedef parley_ort_status *(*parley_ort_get_tensor_data)(parley_ort_value *value, void **out);
typedef parley_ort_status *(*parley_ort_get_element_type)(const parley_ort_shape *shape, int *out);
typedef parley_ort_status *(*parley_ort_get_element_count)(const parley_ort_shape *shape, size_t *out);
typedef parley_ort_status *(*parley_ort_get_shape)(const parley_ort_value *value, parley_ort_shape **out);
typedef parley_ort_status *(*parley_ort_create_cpu_memory_info)(
    int allocator, int memory_type, parley_ort_memory_info **out);
typedef void (*parley_ort_release)(void *object);

#endif
