"""Right programs in other styles, by rule: each rewrites all of a lab's sources, or builds them in another way, and what
comes of it must pass as the original does."""

CALLS_OF_SOCKETS = ("send", "sendto", "recv", "recvfrom", "read", "write", "accept", "connect", "bind", "listen", "shutdown",
                    "poll", "getaddrinfo")
PRINTS = ("printf", "puts", "putchar", "fwrite", "vprintf")


class Style:
    def __init__(self, name, rule=None, prelude="", options=("-O2",), compiler="cc", link=(), except_labs=()):
        self.name, self.rule, self.prelude, self.options = name, rule, prelude, list(options)
        self.compiler, self.link, self.except_labs = compiler, list(link), except_labs

    def rewrite(self, source, is_header):
        """The file's new bytes."""
        changes = sorted(self.rule(source), key=lambda change: (change[0], -change[1])) if self.rule else []
        text = rendered(source, 0, len(source.bytes), changes)
        return ("" if is_header else self.prelude).encode() + text.encode()


def rendered(source, begin, end, changes):
    """The text from `begin` to `end` with changes: of those within another, the outer one decides where they go."""
    text, position = "", begin
    for number, (first, last, new) in enumerate(changes):
        if first < position or last > end:
            continue
        inner = changes[number + 1:]
        text += source.bytes[position:first].decode() + new(lambda b, e, inner=inner: rendered(source, b, e, inner))
        position = last
    return text + source.bytes[position:end].decode()


def nodes(source, *kinds):
    return [node for top in source.declarations for node in top.all() if node.kind in kinds and not node.opaque]


def calls(source, *names):
    return [node for node in nodes(source, "CallExpr") if node.callee() in names]


def statement_end(source, node):
    """Behind the semicolon, if the statement has one."""
    at = node.end
    while source.bytes[at:at + 1].isspace():
        at += 1
    return at + 1 if source.bytes[at:at + 1] == b";" and node.kind != "CompoundStmt" and source.bytes[node.end - 1:node.end] != b"}" \
        else node.end


# ---- rules: lists of (begin, end, function that is given how to render what is inside) ----

def for_as_while(source):
    """A loop with `continue` would need a jump."""
    changes = []
    for loop in nodes(source, "ForStmt"):
        body = loop.children[-1]
        if any(node.kind == "ContinueStmt" for node in body.all()):
            continue
        header = source.bytes[loop.begin:body.begin].decode()
        first, condition, step = header[header.index("(") + 1:header.rindex(")")].split(";")
        end = statement_end(source, body)
        changes.append((loop.begin, end, lambda render, f=first, c=condition, s=step, b=body.begin, e=end:
                        f"{{ {f}; while ({c.strip() or '1'}) {{ {render(b, e)} {s}; }} }}"))
    return changes


def branches_swapped(source):
    changes = []
    for branch in nodes(source, "IfStmt"):
        condition, yes = branch.children[:2]
        no = branch.children[2] if len(branch.children) > 2 else None
        end = statement_end(source, no or yes)
        yes_end = statement_end(source, yes)
        changes.append((branch.begin, end, lambda render, c=condition, y=yes, ye=yes_end, n=no, e=end:
                        f"if (!({render(c.begin, c.end)})) {{ {render(n.begin, e) if n else ''} }} "
                        f"else {{ {render(y.begin, ye)} }}"))
    return changes


def arguments(call, render):
    return [render(node.begin, node.end) for node in call.children[1:]]


def called(source, names, text):
    """Each call of these functions is what text(arguments, the call) says, or stays as it is if that is None."""
    changes = []
    for call in calls(source, *names):
        if text([source.text(node) for node in call.children[1:]], source.text(call)) is not None:
            changes.append((call.begin, call.end, lambda render, c=call:
                            text(arguments(c, render), f"{c.callee()}({', '.join(arguments(c, render))})")))
    return changes


def send_as_write(source):
    return called(source, ("send",), lambda a, _: f"write({a[0]}, {a[1]}, {a[2]})" if a[3] == "0" else None) + \
        called(source, ("recv",), lambda a, _: f"read({a[0]}, {a[1]}, {a[2]})" if a[3] == "0" else None)


def send_as_sendmsg(source):
    return called(source, ("send",), lambda a, _: f"other_send({', '.join(a)}, NULL, 0)") + \
        called(source, ("sendto",), lambda a, _: f"other_send({', '.join(a)})") + \
        called(source, ("recv",), lambda a, _: f"other_recv({', '.join(a)}, NULL, NULL)") + \
        called(source, ("recvfrom",), lambda a, _: f"other_recv({', '.join(a)})")


def in_two_pieces(source):
    """Of streams: a message is sent in two calls, and received a byte at a time."""
    return called(source, ("send",), lambda a, _: f"pieces_send({', '.join(a)})") + \
        called(source, ("recv",), lambda a, _: f"recv({a[0]}, {a[1]}, 1, {a[3]})" if "MSG" not in a[3] else None)


def through_pointers(source):
    names = CALLS_OF_SOCKETS + PRINTS + ("close", "socket", "setsockopt", "getsockname")
    return called(source, names, lambda a, call: f"(*(__typeof__({call.split('(')[0]}) *volatile){{{call.split('(')[0]}}})({', '.join(a)})")


def slow(source):
    return called(source, CALLS_OF_SOCKETS, lambda a, call: f"(slow_down(), {call})")


def high_descriptors(source):
    return called(source, ("socket", "accept"), lambda a, call: f"raised({call})")


def flushed(source):
    return called(source, PRINTS, lambda a, call: f"then_flush({call})") + at_start(source, "setvbuf(stdout, NULL, _IOFBF, 1 << 16);")


def unbuffered(source):
    return at_start(source, "setvbuf(stdout, NULL, _IONBF, 0);")


def signals_ignored(source):
    return at_start(source, "signal(SIGPIPE, SIG_IGN); signal(SIGHUP, SIG_IGN); signal(SIGCHLD, SIG_IGN);")


def at_start(source, text):
    """In front of what main() does."""
    for top in source.declarations:
        if top.kind == "FunctionDecl" and top.values.get("name") == "main":
            body = top.children[-1]
            return [(body.begin, body.begin + 1, lambda _render: "{ " + text)]
    return []


def in_a_thread(source):
    """main() is another thread's: the first one only waits for it."""
    for top in source.declarations:
        if top.kind == "FunctionDecl" and top.values.get("name") == "main":
            body = top.children[-1]
            return [(top.begin, body.begin, lambda _render: "static int main_of_program(int argc, char *argv[]) "),
                    (body.end - 1, body.end, lambda _render: "return 0; }\n" + THREAD_MAIN)]
    return []


def on_the_heap(source):
    changes = []
    for function in source.declarations:
        arrays = [node for node in function.all() if node.kind == "VarDecl" and node.parent and node.type.startswith("char[") and not node.opaque and
                  node.parent.kind == "DeclStmt" and len(node.parent.children) == 1 and "init" not in node.values]
        for array in arrays:
            name, identity, declaration = array.values["name"], array.values["id"], source.text(array.parent)
            size = declaration[declaration.index("["):declaration.rindex("]") + 1]
            changes.append((array.parent.begin, array.parent.end, lambda _r, n=name, s=size: f"char (*{n}){s} = calloc(1, sizeof *{n});"))
            for node in function.all():
                if node.kind == "DeclRefExpr" and not node.opaque and node.values.get("referencedDecl", {}).get("id") == identity:
                    changes.append((node.begin, node.end, lambda _r, n=name: f"(*{n})"))
    return changes


THREAD_MAIN = """
struct of_main { int argc; char **argv; int status; };
static void *run_main(void *of) {
  struct of_main *main = of;
  main->status = main_of_program(main->argc, main->argv);
  return NULL;
}
int main(int argc, char *argv[]) {
  struct of_main of = {argc, argv, 0};
  pthread_t thread;
  pthread_create(&thread, NULL, run_main, &of);
  pthread_join(thread, NULL);
  return of.status;
}
"""
MESSAGES = """#include <sys/socket.h>
#include <stddef.h>
static inline ssize_t other_send(int fd, const void *bytes, size_t length, int flags, const void *to, socklen_t size) {
  struct iovec parts[2] = {{(void *)bytes, length / 2}, {(char *)bytes + length / 2, length - length / 2}};
  struct msghdr message = {.msg_name = (void *)to, .msg_namelen = size, .msg_iov = parts, .msg_iovlen = 2};
  return sendmsg(fd, &message, flags);
}
static inline ssize_t other_recv(int fd, void *bytes, size_t length, int flags, void *from, socklen_t *size) {
  struct iovec parts[2] = {{bytes, length / 2}, {(char *)bytes + length / 2, length - length / 2}};
  struct msghdr message = {.msg_name = from, .msg_namelen = size ? *size : 0, .msg_iov = parts, .msg_iovlen = 2};
  ssize_t got = recvmsg(fd, &message, flags);
  if (size)
    *size = message.msg_namelen;
  return got;
}
"""
PIECES = """#include <sys/socket.h>
static inline ssize_t pieces_send(int fd, const void *bytes, size_t length, int flags) {
  int type; socklen_t size = sizeof type;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1 || type != SOCK_STREAM || length < 2)
    return send(fd, bytes, length, flags);
  return send(fd, bytes, length / 2, flags); /* the caller goes on with the rest */
}
"""
NAP = "#include <unistd.h>\nstatic inline void slow_down(void) { usleep(1000); }\n"
RAISED = """#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
static inline int raised(int fd) {
  if (fd == -1)
    return -1;
  int high = fcntl(fd, F_DUPFD, 100), error = errno;
  close(fd);
  errno = error;
  return high;
}
"""
FLUSH = "#include <stdio.h>\nstatic inline long then_flush(long result) { fflush(stdout); return result; }\n"

# ASan's shadow is memory that deadlock.9 measures; what descriptors makes of a descriptor must be what socket() gave it.
STYLES = [
    Style("for-as-while", for_as_while),
    Style("branches-swapped", branches_swapped),
    Style("send-as-write", send_as_write, "#include <unistd.h>\n"),
    Style("send-as-sendmsg", send_as_sendmsg, MESSAGES),
    Style("in-two-pieces", in_two_pieces, PIECES, except_labs=("udp", "udp-retry", "broadcast", "mtu", "deadlock")),
    Style("through-pointers", through_pointers),
    Style("slow", slow, NAP, except_labs=("deadlock",)),
    Style("high-descriptors", high_descriptors, RAISED, except_labs=("descriptors",)),
    Style("flushed", flushed, FLUSH),
    Style("unbuffered", unbuffered, "#include <stdio.h>\n"),
    Style("signals-ignored", signals_ignored, "#include <signal.h>\n"),
    Style("in-a-thread", in_a_thread, "#include <pthread.h>\n#include <stddef.h>\n", except_labs=("deadlock",)),
    Style("on-the-heap", on_the_heap, "#include <stdlib.h>\n"),
    Style("O0", options=["-O0"]),
    Style("O3", options=["-O3", "-march=native", "-flto"], link=["-O3", "-flto"]),
    Style("fortified", options=["-O2", "-D_FORTIFY_SOURCE=2", "-fstack-protector-all"]),
    Style("static", options=["-O2"], link=["-static"], except_labs=("http-search",)),
    Style("clang", options=["-O2"], compiler="clang"),
    Style("address-sanitizer", options=["-O1", "-g", "-fsanitize=address"], link=["-fsanitize=address"], except_labs=("deadlock",)),
    Style("undefined-sanitizer", options=["-O1", "-fsanitize=undefined"], link=["-fsanitize=undefined"]),
]
