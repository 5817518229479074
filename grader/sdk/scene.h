/* A part of wiregrade.h, which includes it: scenes, which `wiregrade try LAB` opens for a person to
 * look at.
 *
 * A scene is a script like a check's, on the real clock: it makes a world with peers, opens a shell
 * in it, and plays the peers until the shell ends. Nothing is expected and nothing judged.
 *
 *     SCENE(silent, "A server is bound to 127.0.0.1:60000, and never answers.") {
 *       udp_peer("server", "127.0.0.1", 60000);
 *       open_shell(localhost());
 *       while (shell_is_open())
 *         pass(1);
 *     }
 */
#pragma once

#include <stdbool.h>

struct host;

struct scene {
  const char *name, *sentence; /* what is there, for who sits in it: in whole sentences */
  void (*script)(void);
  int line; /* in the source: a lab's first scene is the one that is opened if none is named */
};

#define SCENE(name_, sentence_)                                                                    \
  static void name_##_scene_script(void);                                                          \
  static const struct scene name_##_scene = {#name_, sentence_, name_##_scene_script, __LINE__};   \
  __attribute__((section("wiregrade_scenes"),                                                      \
                 used)) static const struct scene *const name_##_scene_entry = &name_##_scene;     \
  static void name_##_scene_script(void)

/* Opens the shell on the host, with all of the submission's programs to be called by their names;
 * once, when all that it is to find is there. */
void open_shell(struct host *host);
/* Whether it is still open. A wait (pass, udp_receive, …) ends early when the shell does. */
bool shell_is_open(void);
