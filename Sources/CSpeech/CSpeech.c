// The headers of this target declare the C structures of libraries that are opened at run time. There is nothing to compile.
typedef int parley_cspeech_has_no_code;
