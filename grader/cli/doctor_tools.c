#include "grader/cli/doctor_probes.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"

#include <string.h>
#include <sys/wait.h>

/* What a shell prints when it runs the commands in an empty folder, without the last newline; NULL
 * if they fail, and then the first line of it is in *detail. */
static char *shell_output(const char *commands, const char *what, struct failure *detail) {
  char folder[] = "/tmp/wiregrade-doctor-XXXXXX";
  if (!mkdtemp(folder)) {
    failure_errno(detail, "Cannot make a folder in /tmp");
    return NULL;
  }
  scoped_text char *line = memory_format("exec 2>&1; cd %s && { %s\n}", folder, commands);
  FILE *pipe = popen(line, "re");
  char output[4096];
  size_t length = pipe ? fread(output, 1, sizeof output - 1, pipe) : 0;
  int status = pipe ? pclose(pipe) : -1;
  output[length] = '\0';
  scoped_text char *removing = memory_format("/bin/rm -rf %s", folder);
  if (system(removing) != 0)
    status = -1;
  if (status == 0) {
    output[strcspn(output, "\n")] = '\0';
    return memory_text(output);
  }
  const char *why = strcasestr(output, "error");
  while (why && why > output && why[-1] != '\n')
    why--;
  why = why ? why : output;
  failure_set(detail, "%s: %.*s", what, (int)strcspn(why, "\n"), why);
  return NULL;
}

static int shell_try(const char *commands, const char *what, struct failure *detail) {
  scoped_text char *output = shell_output(commands, what, detail);
  return output ? (failure_set(detail, "%s", output), 0) : -1;
}

int probe_compiler(struct failure *detail) {
  return shell_try("echo 'int main(void) { return 0; }' > a.c && cc -std=gnu17 -O2 -pthread a.c && "
                   "./a.out && cc --version",
                   _("Cannot compile and run a C program"), detail);
}

int probe_libraries(struct failure *detail) {
  return shell_try("printf '#include <curl/curl.h>\\n#include <openssl/ssl.h>\\nint main(void) { "
                   "return !curl_version() || !TLS_client_method(); }\\n' > a.c && "
                   "cc a.c -lcurl -lssl -lcrypto && ./a.out",
                   _("Cannot link with libcurl and OpenSSL"), detail);
}

int probe_make(struct failure *detail) {
  return shell_try(
      "printf 'a:\\n\\ttouch a\\n' > Makefile && make -s && test -f a && make --version",
      _("Cannot run make"), detail);
}

int probe_python(struct failure *detail) {
  return shell_try("python3 -c 'import socket, sys; print(sys.version.split()[0])'",
                   _("Cannot run python3"), detail);
}
