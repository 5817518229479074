/* What the doctor tries. Each probe uses the thing that it asks about, since a kernel or a
 * container often lets a program make something and then denies what it does with it. A probe runs
 * in a process of its own, that has entered the sandbox's namespaces (sandbox_enter) unless it is
 * about that itself, and may leave any mess. */
#pragma once

#include "grader/base/failure.h"

/* 0: works, and `detail` may say how; -1: does not, and `detail` says why. */
typedef int probe(struct failure *detail);

probe probe_namespaces, probe_sandbox, probe_network, probe_packets, probe_socket_tables;
probe probe_notification, probe_notification_signals, probe_descriptors, probe_trace, probe_compare;
probe probe_overlay;

/* doctor_layers.c: tried from inside a sandbox */
probe probe_user, probe_layers_namespaces, probe_layers_files, probe_layers_calls;
probe probe_layers_limits, probe_layers_memory, probe_layers_end;

/* doctor_tools.c */
probe probe_compiler, probe_libraries, probe_make, probe_python;
