/* What a check's worker tells the grader: one verdict record for each check, a JSON document in one
 * SOCK_SEQPACKET message on the descriptor that WIREGRADE_VERDICT_FD names. Only the suite's
 * processes hold that descriptor: no student's process ever does.
 *
 *   {"check": "udp-retry.6/gaps_double",       requirement and the name of the check: unique
 *    "requirement": "udp-retry.6",
 *    "status": "pass" | "fail" | "missing" | "skipped" | "error",
 *    "message": one sentence, "expected": …, "actual": …,     texts, may be "" (pass) and may have
 * several lines "cause": the likely cause, chosen by what was seen; "" if nothing better than the
 * lab's own hint is known "clock": "virtual" | "real", "virtual_s": seconds judged, "real_s":
 * seconds it took, "findings": ["busy-waits: …"],                           remarks that cost
 * nothing "capture": path of a pcapng file, or null, "events": [event, …]} the moments that tell
 * the story, in order
 *
 * An event has "t" (seconds on the check's clock since the world began), "kind", and by kind:
 *
 *   start  "program", "text": the command line
 *   line   "program", "stream": "stdout" | "stderr", "text": one line that it printed
 *   frame  "protocol": "UDP" | "TCP" | "ICMP" | …, "from", "to": "127.0.0.1:60000", "length": of
 * the payload, "text": the payload (shortened), of TCP also "flags": "SYN ACK", on a LAN "lan": its
 * name, and if so "broadcast": true, "sender", "receiver": names of programs or peers if known wait
 * "program", "text": the call and what became of it exit "program", "text": "exit status 0",
 * "killed by SIGSEGV", … note   "text": a remark of the grader
 *
 * Beside the name of a program stands which of that name it is, in the order of their starts, from
 * 1 on: "run", "sender_run", "receiver_run". "end_t" of the record is when the check ended, on the
 * clock of the events; 0 if that is not known.
 *
 * All texts are valid UTF-8 without control characters: bytes that are not are written \xHH, the
 * backslash itself is left alone. A record is at most VERDICT_MAX bytes; events in the middle are
 * dropped to make it so.
 *
 * A suite program is run as  build/suite/LAB --checks NUMBER [TEST…] : those checks, or all, so
 * many of them at the same time. In its environment:
 *
 *   WIREGRADE_MANIFEST         path of the submission's manifest (grader/submission/manifest.h)
 *   WIREGRADE_VERDICT_FD       number of an inherited descriptor, as above; absent: verdicts are
 *                              not sent, only TAP is shown
 *   WIREGRADE_CLOCK            virtual (default) or real
 *   WIREGRADE_SEED             decimal number (default 1)
 *   WIREGRADE_LANG, WIREGRADE_MESSAGES  the language of the texts and the files that have it, as
 *                              grader/base/language.h says
 *   WIREGRADE_CAPTURES         folder for the captures of failed checks; absent or empty: none
 *   WIREGRADE_CAPTURES_OF_ALL  not empty: of passed checks too
 *
 * build/suite/LAB --describe  prints, one JSON document a line, {"check", "requirement", "test",
 * "programs"}: TEST is what --checks takes for it. */
#pragma once

#define VERDICT_MAX (256 * 1024)
