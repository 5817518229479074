/* wiregrade: the table of its subcommands. */
#include "grader/cli/cli.h"

#include "grader/base/language.h"
#include "grader/base/memory.h"
#include "grader/base/scope.h"
#include "grader/sandbox/sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
    {"grade", "build a submission, run its programs, say what is right",
     "Usage: wiregrade grade [OPTION]... SUBMISSION\n"
     "Builds the programs in SUBMISSION, a folder or an archive of one (zip, tar, 7z),\n"
     "runs each lab's checks, reports.\n"
     "\n"
     "  --lab LAB           only this lab; may be given several times\n"
     "  --check ID          only this requirement (udp-retry.6) or check\n"
     "  --program NAME      only checks that start this program\n"
     "                      (udp-retry.6/client_backs_off); may be given several times\n"
     "  --clock CLOCK       virtual (skips what is only waited for; default) or real\n"
     "  --jobs N            so many checks at once (default: the number of CPUs)\n"
     "  --seed N            of the random inputs (default: 1)\n"
     "  --trust-me          where this machine cannot contain what it runs, grade all\n"
     "                      the same: only for who grades nothing but their own work\n"
     "  --build-limit SEC   seconds for the whole build (default: 120)\n"
     "  --no-build-cache    build it even if the very same was built before, and keep\n"
     "                      nothing of what was built\n"
     "  --course FILE       points, hidden checks, limits; see `wiregrade help course`\n"
     "  --show-hidden       show the checks too that the course hides from students\n"
     "  --json FILE         write the result document to FILE too; if FILE is - it is\n"
     "                      printed, in place of the report\n"
     "  --junit FILE        the same as JUnit XML\n"
     "  --html DIR          write the report as a page too, DIR/index.html, with\n"
     "                      diagrams, and the frames of failed checks beside it\n"
     "  --captures DIR      keep the frames of failed checks there (default:\n"
     "                      ~/.cache/wiregrade/captures/SUBMISSION; none: nowhere)\n"
     "  --all-captures      of the other checks too\n"
     "  --tap               print TAP instead of the report\n"
     "  --help              show this\n"
     "\n"
     "Exit status: 0 all passed, 1 something did not, 2 usage or a submission that\n"
     "cannot be read, 3 an error of the grader itself.\n"
     "\n"
     "Examples:\n"
     "  wiregrade grade .\n"
     "  wiregrade grade homework.zip\n"
     "  wiregrade grade --lab udp-retry --json result.json ~/labs\n"
     "  wiregrade grade --html page . && xdg-open page/index.html\n"
     "  wiregrade grade --check udp-retry.6 --clock real ~/labs\n",
     command_grade},
    {"batch", "grade a class into a gradebook",
     "Usage: wiregrade batch [OPTION]... SOURCE...\n"
     "Grades all submissions of each SOURCE into a gradebook. Started again, it goes\n"
     "on where it was: what has been graded is not graded again unless it, the suite\n"
     "or the course has changed. SOURCE is a folder or an archive of submissions, a\n"
     "download of Moodle, Canvas or Gradescope, one submission, or a text file that\n"
     "names git repositories on this machine, one in a line.\n"
     "\n"
     "  --out DIR           the folder of the gradebook (default: batch)\n"
     "  --roster FILE       who is in the class: CSV with columns like id, name,\n"
     "                      email; Moodle's grading worksheet; Canvas's gradebook\n"
     "  --course FILE       points, hidden checks, lateness, limits; see\n"
     "                      `wiregrade help course`\n"
     "  --jobs N            so many submissions at once (default: what pays off here)\n"
     "  --time-limit SEC    seconds for one submission (default: 1800)\n"
     "  --regrade           grade everything once more, and show what changed\n"
     "  --json-progress     print what happens as JSON, an object in each line\n"
     "  --slurm             let Slurm's nodes grade, and follow them: an array of\n"
     "                      tasks, and a last job that merges. DIR, the sources and\n"
     "                      wiregrade must be on a disk that all nodes share. --jobs\n"
     "                      is then of each task, and so many CPUs are asked for\n"
     "  --slurm-chunk N     submissions of one task (default: 10)\n"
     "  --slurm-option OPT  one of sbatch's, such as --partition=long; may be given\n"
     "                      several times\n"
     "  --help              show this\n"
     "\n"
     "Exit status: 0 all that was handed in is graded, whatever the score; 1 something\n"
     "could not be read; 2 usage, or a source that cannot be read; 3 an error of the\n"
     "grader itself: start it again.\n"
     "\n"
     "Examples:\n"
     "  wiregrade batch --out week5 submissions.zip\n"
     "  wiregrade batch --roster class.csv --course course.yaml --out week5 download\n"
     "  wiregrade batch --slurm --slurm-option=--time=30 --out shared/week5 download\n",
     command_batch},
    {"list", "the labs, their requirements and points",
     "Usage: wiregrade list [--json]\n"
     "Lists the labs, one a line: name, requirements, points, section and title, with\n"
     "tabs between them.\n"
     "\n"
     "  --json              as JSON, with each requirement's text\n"
     "  --help              show this\n"
     "\n"
     "Examples:\n"
     "  wiregrade list\n"
     "  wiregrade list | cut -f1\n"
     "  wiregrade list --json | jq '.[].requirements[].requirement'\n",
     command_list},
    {"explain", "what a requirement asks for, and where to read on",
     "Usage: wiregrade explain REQUIREMENT...\n"
     "Tells what a requirement asks for, what often goes wrong, where to read on, and\n"
     "how to check it alone.\n"
     "\n"
     "  --help              show this\n"
     "\n"
     "Example:\n"
     "  wiregrade explain udp-retry.6\n",
     command_explain},
    {"init", "a repository to begin with: skeletons, Makefile, workflow",
     "Usage: wiregrade init [OPTION]... DIR\n"
     "Makes the folder DIR for a student: a skeleton for each program, a Makefile with\n"
     "`make grade`, a README, a GitHub workflow and a dev container. DIR must not be\n"
     "there yet, or be empty.\n"
     "\n"
     "  --lab LAB           only this lab's programs; may be given several times\n"
     "  --help              show this\n"
     "\n"
     "Examples:\n"
     "  wiregrade init my-labs\n"
     "  wiregrade init --lab udp --lab udp-retry my-labs\n",
     command_init},
    {"watch", "grade again what changed, whenever a file is saved",
     "Usage: wiregrade watch [OPTION]... SUBMISSION\n"
     "Grades the folder SUBMISSION, and then again, whenever a file in it is saved,\n"
     "the labs that it belongs to: by the name of its folder, or its own. After a\n"
     "change to any other file (a Makefile, a header) all are graded. Ctrl-C ends it.\n"
     "\n"
     "  --lab LAB           only this lab; may be given several times\n"
     "  --help              show this\n"
     "\n"
     "Examples:\n"
     "  wiregrade watch .\n"
     "  wiregrade watch --lab udp-retry .\n",
     command_watch},
    {"try", "a shell in a lab's world, with the peers running",
     "Usage: wiregrade try [OPTION]... LAB [SUBMISSION] [-- COMMAND]\n"
     "Builds the programs of LAB in SUBMISSION (default: this folder), and opens a\n"
     "shell in a world of the lab, on the real clock, where the peers run that its\n"
     "checks play: servers that answer or stay silent, other hosts, name servers,\n"
     "forgers. Your programs are called by their names, and what goes over the wire\n"
     "is shown.\n"
     "\n"
     "  --scene NAME        which world (default: the lab's first)\n"
     "  --list              the lab's scenes, one a line: name, tab, what is there\n"
     "  --quiet             do not show what goes over the wire\n"
     "  --captures DIR      keep the frames there, for Wireshark\n"
     "  --course FILE       the course's limits\n"
     "  --help              show this\n"
     "\n"
     "Exit status: the shell's, or the command's; 2 usage or a submission that cannot\n"
     "be read, 3 an error of the grader itself.\n"
     "\n"
     "Examples:\n"
     "  wiregrade try udp-retry .\n"
     "  wiregrade try --list broadcast\n"
     "  wiregrade try --scene forger udp . -- udp-client\n"
     "  wiregrade try --scene alone tcp . -- 'tcp-server & sleep 1; tcp-client'\n",
     command_try},
    {"class", "make a batch's page, tables and students' pages again",
     "Usage: wiregrade class [OPTION]... DIR\n"
     "Makes from the gradebook in DIR, a batch's folder, what `wiregrade batch` makes\n"
     "at its end:\n"
     "\n"
     "  index.html          the class: what needs a look, how the points spread, what\n"
     "                      most failed, and a table of all that sorts and filters\n"
     "  students/           a page for each student, to be sent out\n"
     "  canvas.csv          for Canvas's gradebook, Import\n"
     "  moodle.csv          for Moodle's assignment, Upload grading worksheet\n"
     "  grades.csv, grades.json, junit.xml\n"
     "\n"
     "  --assignment TITLE  Canvas's column, with its id in brackets (default: the\n"
     "                      course's name)\n"
     "  --help              show this\n"
     "\n"
     "Exit status: 0 all was written, 2 usage or no gradebook there, 3 it could not be\n"
     "written.\n"
     "\n"
     "Examples:\n"
     "  wiregrade class week5\n"
     "  wiregrade class --assignment 'Labs (48213)' week5\n",
     command_class},
    {"compare", "what differs between two gradings",
     "Usage: wiregrade compare [OPTION]... OLD NEW\n"
     "Tells for whom and in which checks two gradings differ. OLD and NEW are the\n"
     "folders of two batches, or two result documents of one submission.\n"
     "\n"
     "  --json              print it for a program\n"
     "  --help              show this\n"
     "\n"
     "Exit status: 0 nothing differs, 1 something does, 2 usage, or one cannot be\n"
     "read.\n"
     "\n"
     "Examples:\n"
     "  wiregrade compare week5 week5-again\n"
     "  wiregrade compare before.json after.json\n",
     command_compare},
    {"doctor", "what this machine can do, and how to mend what it cannot",
     "Usage: wiregrade doctor [OPTION]...\n"
     "Tries everything that grading, the virtual clock and the containment of what is\n"
     "run need, by using it, and says how to mend what does not work.\n"
     "\n"
     "  --json              print it for a program\n"
     "  --help              show this\n"
     "\n"
     "Exit status: 0 grading can work here, 3 it cannot.\n"
     "\n"
     "Example:\n"
     "  wiregrade doctor\n",
     command_doctor},
    {"course", "check a course file, and show what it says",
     "Usage: wiregrade course check FILE\n"
     "A course file is YAML. All but its name may be left out:\n"
     "\n"
     "  course: Network programming, autumn\n"
     "  labs:                     # those that count; left out: all, as they are\n"
     "  - lab: udp\n"
     "    points: 50              # in place of the lab's own\n"
     "  - lab: udp-retry\n"
     "    core-to-stretch: 1:1    # in place of the course's\n"
     "    requirements:           # points of single ones, out of the lab's\n"
     "    - requirement: 6\n"
     "      points: 40\n"
     "  - lab: halfopen\n"
     "    extra: yes              # its points make up for points lost elsewhere\n"
     "  core-to-stretch: 3:1      # how a lab's points are divided\n"
     "  hidden:                   # graded; students see how many passed, and their\n"
     "  - udp.6                   # points. A requirement, or one check of it\n"
     "  - udp-retry.2\n"
     "  release-hidden: no        # yes: they are shown like all others\n"
     "  drop: 1                   # so many labs, the worst ones, do not count\n"
     "  languages: [c, python]    # programs in others count as missing; there are\n"
     "                            # c, c++, go, rust, java, javascript, perl, python,\n"
     "                            # ruby, shell. What is compiled counts as c, unless\n"
     "                            # it shows that another compiler made it\n"
     "  late:                     # for batch: what it costs\n"
     "    deadline: 2026-11-28 23:59:59 +01:00\n"
     "    grace: 10 min           # after the deadline\n"
     "    per-day: 10             # percent of the points, for each day begun; where\n"
     "                            # it is known only that it was late, for one day\n"
     "    most: 50                # percent at most\n"
     "  limits:                   # of a build, and of each program\n"
     "    memory: 2 GB            # of all its processes together\n"
     "    file-size: 256 MB       # the largest file\n"
     "    scratch: 256 MB         # of /tmp, and of what is written over it\n"
     "    scratch-files: 20000\n"
     "    processes: 512          # and threads\n"
     "    descriptors: 1024\n"
     "    cpu-time: 300 s         # of one process\n"
     "    build-time: 2 min       # real time, of the whole build; more if the machine is busy\n"
     "\n"
     "  --help              show this\n"
     "\n"
     "Examples:\n"
     "  wiregrade course check course.yaml\n"
     "  wiregrade grade --course course.yaml homework\n"
     "  wiregrade batch --course course.yaml --out week5 submissions.zip\n",
     command_course},
    {"verify", "test the suite itself: reference, other styles and mutants",
     "Usage: wiregrade verify [OPTION]...\n"
     "Tests the tests: the reference and every right program in another style must\n"
     "pass, and every mutant must fail exactly the requirements that it names and be\n"
     "shown the likely cause that it names. Prints a matrix of requirements, what each\n"
     "check cost and which mutants fail it, and each deviation.\n"
     "\n"
     "  --suite DIR         the folder of labs (default: this wiregrade's own), with\n"
     "                      reference/ and fixtures/ beside it\n"
     "  --lab LAB           only this lab; may be given several times\n"
     "  --styles N          only so many styles that each lab has N of them, in many\n"
     "                      languages (default: all)\n"
     "  --mutants N         only so many mutants that each requirement has N of them\n"
     "                      (default: all)\n"
     "  --clock CLOCK       virtual (default), real, or both: a check whose verdict is\n"
     "                      another one on the other clock is a deviation\n"
     "  --runs N            grade each submission N times, with the seeds 1 to N: a\n"
     "                      verdict that changes is a deviation (default: 1)\n"
     "  --jobs N            so many gradings at once (default: 2 for each CPU)\n"
     "  --json FILE         write all that was found to FILE too\n"
     "  --html FILE         write it as a page too, which stands alone\n"
     "  --help              show this\n"
     "\n"
     "Ctrl-C ends it, and what was found so far is printed.\n"
     "\n"
     "Exit status: 0 all is as it must be, 1 something is not, 2 usage, 3 an error of\n"
     "the grader itself.\n"
     "\n"
     "Examples:\n"
     "  wiregrade verify\n"
     "  wiregrade verify --lab udp-retry --clock both\n"
     "  wiregrade verify --styles 2 --mutants 1    a quick look\n"
     "  wiregrade verify --suite my-labs/suite --runs 20 --html verify.html\n",
     command_verify},
    {"report", "make a report again from a result document",
     "Usage: wiregrade report [OPTION]... RESULT.json\n"
     "Makes a report from what `wiregrade grade --json` wrote; - is the standard\n"
     "input.\n"
     "\n"
     "  --format FORMAT     which report (default: text), see below\n"
     "  --output FILE       write to FILE instead of the standard output\n"
     "  --show-hidden       show the checks too that a course hides from students\n"
     "  --help              show this\n"
     "\n"
     "  text          for a terminal\n"
     "  html          a page for a browser\n"
     "  tap           Test Anything Protocol, for prove and automake\n"
     "  junit         JUnit XML, for CI servers\n"
     "  github        of a GitHub Actions job: its summary ($GITHUB_STEP_SUMMARY),\n"
     "                annotations, and score and max-score ($GITHUB_OUTPUT)\n"
     "  classroom50   Classroom 50's result.json and, beside it, release-body.md\n"
     "  classroom     what GitHub Classroom's old reporter reads, in base64\n"
     "  gradescope    Gradescope's results.json\n"
     "  prairielearn  PrairieLearn's results.json\n"
     "  autolab       Autolab's last two lines\n"
     "  check50       check50's JSON\n"
     "\n"
     "Exit status: 0 the report was written, whatever the score; 2 usage, or a result\n"
     "that cannot be read; 3 the report could not be written.\n"
     "\n"
     "Examples:\n"
     "  wiregrade report result.json\n"
     "  wiregrade report --format junit --output result.xml result.json\n"
     "  wiregrade report --format github result.json\n",
     command_report},
    {"export", "what another program needs to run wiregrade",
     "Usage: wiregrade export [OPTION]... gradescope-zip\n"
     "Writes the zip that Gradescope takes for an autograder: setup.sh, run_autograder\n"
     "and wiregrade's sources, without the reference programs.\n"
     "\n"
     "  --lab LAB           grade only this lab; may be given several times\n"
     "  --output FILE       write to FILE (default: gradescope.zip)\n"
     "  --help              show this\n"
     "\n"
     "Exit status: 0 it was written, 2 usage, 3 it could not be written.\n"
     "\n"
     "Example:\n"
     "  wiregrade export gradescope-zip --lab udp --output udp.zip\n",
     command_export},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void help_print(FILE *file) {
  fputs(_("Usage: wiregrade COMMAND [ARGUMENT]...\n"
          "Grades programs that were written for a course on network programming with\n"
          "sockets.\n\n"),
        file);
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    fprintf(file, "  %-10s%s\n", commands[i].name, _(commands[i].summary));
  fputs(_("  help      show this, or a command's own help\n"
          "  version   show the version\n"
          "\n"
          "Each takes --lang LANGUAGE too: en or zh_CN (default: as the locale says).\n"
          "\n"
          "Begin with:\n"
          "  wiregrade doctor\n"
          "  wiregrade grade FOLDER\n"),
        file);
}

static const struct command *command_find(const char *name) {
  for (size_t i = 0; i < COMMAND_COUNT; i++)
    if (strcmp(commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

static bool word_is(const char *word, const char *name, const char *option, const char *letter) {
  return strcmp(word, name) == 0 || strcmp(word, option) == 0 || strcmp(word, letter) == 0;
}

/* Without these three the next file that is opened would be taken for the standard output; what is
 * written to a closed one must still fail. */
static void descriptors_fill(void) {
  int fd = open("/dev/null", O_RDONLY);
  while (fd >= 0 && fd <= STDERR_FILENO)
    fd = dup(fd);
  close(fd);
}

int main(int argc, char **argv) {
  descriptors_fill();
  /* A reader that goes away (`| head`) is an error of writing, not a death. */
  signal(SIGPIPE, SIG_IGN);
  unsetenv(SANDBOX_LIMITS_VARIABLE); /* they are the grader's own business */
  unsetenv(SANDBOX_OPEN_VARIABLE);
  unsetenv(SANDBOX_USER_VARIABLE);
  if (cli_language_choose(&argc, argv))
    return CLI_USAGE;
  if (argc < 2) {
    help_print(stderr);
    return CLI_USAGE;
  }
  const char *name = argv[1];
  if (word_is(name, "version", "--version", "-V")) {
    puts("wiregrade " WIREGRADE_VERSION);
    return cli_printed(CLI_PASSED);
  }
  bool help = word_is(name, "help", "--help", "-h");
  if (help && argc == 2) {
    help_print(stdout);
    return cli_printed(CLI_PASSED);
  }
  const struct command *command = command_find(help ? argv[2] : name);
  if (!command) {
    scoped_text char *sentence = language_sentence(
        "There is no command '%s'; `wiregrade help` shows them all", help ? argv[2] : name);
    cli_complain(sentence);
    return CLI_USAGE;
  }
  if (help) {
    fputs(_(command->usage), stdout);
    return cli_printed(CLI_PASSED);
  }
  return command->run(command, argc - 1, argv + 1);
}
