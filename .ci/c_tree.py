"""A C file's syntax tree, with the place of each node in the file: parsed by clang, which writes it as JSON."""
import json, os, subprocess


class Node:
    """A node whose text stands in the file itself; what a macro makes is one node, as the macro's name stands there."""

    def __init__(self, values, begin, end, opaque):
        self.kind, self.values, self.begin, self.end, self.opaque = values["kind"], values, begin, end, opaque
        self.parent, self.children = None, []

    @property
    def type(self):
        kind = self.values.get("type", {})
        return kind.get("desugaredQualType", kind.get("qualType", ""))

    @property
    def operator(self):
        return self.values.get("opcode", "")

    def all(self):
        yield self
        for child in self.children:
            yield from child.all()

    def inner(self):
        """Without the casts and parentheses around it."""
        node = self
        while node.kind in ("ImplicitCastExpr", "ParenExpr", "ConstantExpr") and len(node.children) == 1 and not node.opaque:
            node = node.children[0]
        return node

    def callee(self):
        """The name of the function that a call calls."""
        if self.kind != "CallExpr" or not self.children:
            return ""
        return self.children[0].inner().values.get("referencedDecl", {}).get("name", "")


class Source:
    """A file's text, and its functions and other declarations as trees."""

    def __init__(self, path, includer=None):
        """A header is parsed as part of a file that includes it."""
        with open(path, encoding="utf-8") as file:
            self.bytes = file.read().encode()
        self.path = path
        tree = _parse(includer or path)
        _name_files(tree)
        self.declarations = [node for node in (self._node(value) for value in tree.get("inner", [])) if node]

    def text(self, node):
        return self.bytes[node.begin:node.end].decode()

    def line(self, node):
        return self.bytes.count(b"\n", 0, node.begin) + 1

    def with_change(self, begin, end, text):
        return self.bytes[:begin] + text.encode() + self.bytes[end:]

    def _node(self, values):
        if not values or "kind" not in values:
            return None
        begin, end, opaque = self._range(values.get("range", {}))
        if begin is None:
            return None
        node = Node(values, begin, end, opaque)
        for value in [] if opaque else values.get("inner", []):
            child = self._node(value)
            if child:
                child.parent = node
                node.children.append(child)
        return node

    def _range(self, places):
        begin, first_macro = self._place(places.get("begin", {}))
        end, last_macro = self._place(places.get("end", {}))
        if begin is None or end is None:
            return None, None, False
        stop = end["offset"] + end["tokLen"]
        if last_macro:
            stop = self._end_of_macro(stop)
        return begin["offset"], stop, first_macro and last_macro and begin["offset"] == end["offset"]

    def _place(self, place):
        """Where in this file, and whether a macro's name stands there."""
        macro = False
        if "expansionLoc" in place:
            argument = place["expansionLoc"].get("isMacroArgExpansion")
            macro = not argument
            place = place["spellingLoc" if argument else "expansionLoc"]
        if "offset" not in place or place["_file"] != self.path:
            return None, False
        return place, macro

    def _end_of_macro(self, end):
        """Behind the arguments of a macro whose name ends here, if it has any."""
        if self.bytes[end:end + 1] != b"(":
            return end
        depth = 0
        for position in range(end, len(self.bytes)):
            depth += {b"(": 1, b")": -1}.get(self.bytes[position:position + 1], 0)
            if depth == 0:
                return position + 1
        return end


def _parse(path):
    command = ["clang", "-std=gnu17", "-fsyntax-only", "-w", "-Xclang", "-ast-dump=json", path]
    # ccache takes the option for the whole of what is asked, and gives a tree that is not this file's.
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    return json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)


def _name_files(tree):
    """clang names a place's file only where it is another than that of the place before."""
    current, waiting = "", [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "offset" in value:
                current = value.get("file", current)
                value["_file"] = current
            waiting += reversed([child for key, child in value.items() if key != "includedFrom"])
        elif isinstance(value, list):
            waiting += reversed(value)
