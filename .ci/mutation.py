"""Mutants by rule: each differs from a C file in one place, as a bug would."""
import hashlib, re

CONDITIONAL = {"IfStmt": 0, "WhileStmt": 0, "DoStmt": 1, "ConditionalOperator": 0}
LOOPS = ("WhileStmt", "DoStmt", "ForStmt")
EXPRESSIONS = ("CallExpr", "BinaryOperator", "CompoundAssignOperator", "UnaryOperator")
DROPPED = EXPRESSIONS + LOOPS + ("IfStmt", "SwitchStmt", "ReturnStmt", "BreakStmt", "ContinueStmt")
OPERATORS = {"<": ["<="], "<=": ["<"], ">": [">="], ">=": [">"], "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"],
             "*": ["+"], "/": ["*"], "%": ["/"], "&": ["|"], "|": ["&"], "<<": [">>"], ">>": ["<<"], "==": ["!="], "!=": ["=="],
             "+=": ["-=", "="], "-=": ["+=", "="], "|=": ["&=", "="], "&=": ["|=", "="]}
# Their first words are shown to a person with a failure, and no requirement says which.
COMPLAINTS = ("fail", "perror")
# What is seen from outside if it is done twice.
ACTS = ("socket", "bind", "listen", "accept", "connect", "send", "sendto", "write", "recv", "recvfrom", "read", "shutdown",
        "close", "setsockopt", "send_all", "write_all", "SSL_write", "curl_easy_perform")


class Mutant:
    """One change of one file; its id says where, by what rule, and of what: lines may move."""

    def __init__(self, source, function, rule, node, text, begin=None, end=None):
        self.source, self.function, self.rule, self.text = source, function, rule, text
        self.begin, self.end = node.begin if begin is None else begin, node.end if end is None else end
        self.line = source.line(node)
        statement = statement_of(node)
        words = " ".join(source.text(statement).split())
        self.digest = f"{rule}|{words}|{self.begin - statement.begin}|{self.end - self.begin}|{text}"
        self.old = " ".join(source.bytes[self.begin:self.end].decode().split())
        self.number = 1  # among those of the same statement, if it stands in a function more than once

    def name(self, file):
        short = hashlib.sha256(f"{self.digest}|{self.number}".encode()).hexdigest()[:8]
        return f"{file}:{self.function}:{self.rule}:{short}"

    def bytes(self):
        return self.source.with_change(self.begin, self.end, self.text)


def statement_of(node):
    """What is written as one: a statement, or the condition of one, or a member of an enumeration."""
    while node.parent and node.parent.kind not in ("CompoundStmt", "EnumDecl", "CaseStmt", "DefaultStmt", "TranslationUnitDecl") and \
            node.parent.kind not in CONDITIONAL and node.parent.kind != "ForStmt":
        node = node.parent
    return node


def mutants_of(source):
    found, counts = [], {}
    for declaration in source.declarations:
        function = declaration.values.get("name", "-") if declaration.kind == "FunctionDecl" else "-"
        for node in declaration.all():
            for rule, change in RULES.items():
                for place in change(source, node):
                    found.append(Mutant(source, function, rule, node, *place))
    for mutant in found:
        key = (mutant.function, mutant.digest)
        counts[key] = mutant.number = counts.get(key, 0) + 1
    return found


# ---- rules: each yields (new text) or (new text, begin, end) for a node that it is for ----

def is_statement(node):
    """It stands by itself, so that nobody takes its value."""
    if not node.parent or node.opaque:
        return False
    above, place = node.parent, node.parent.children.index(node)
    if above.kind in ("CompoundStmt", "CaseStmt", "DefaultStmt"):
        return above.kind != "CaseStmt" or place > 0
    if above.kind == "IfStmt":
        return place > 0
    return (above.kind in ("WhileStmt", "ForStmt") and place == len(above.children) - 1) or (above.kind == "DoStmt" and place == 0)


def is_condition(node):
    above = node.parent
    if not above:
        return False
    if above.kind == "ForStmt":
        return node.type != "" and node.kind != "DeclStmt" and node.operator not in ("++", "--", "=", "+=", "-=") and \
            node is not above.children[-1] and node.kind != "CallExpr"
    return above.kind in CONDITIONAL and above.children[CONDITIONAL[above.kind]] is node


def calls(node):
    return any(one.callee() not in ("", "__errno_location") for one in node.all())


def drop(_source, node):
    """A statement that is not there."""
    if is_statement(node) and node.kind in DROPPED:
        yield ("",) if node.kind in EXPRESSIONS or node.kind in ("DoStmt", "ReturnStmt", "BreakStmt", "ContinueStmt") else (";",)


def negate(source, node):
    """The contrary of a condition."""
    if is_condition(node):
        yield (f"!({source.text(node)})",)


def unchecked(source, node):
    """A call whose failure is not noticed."""
    if node.kind == "IfStmt" and len(node.children) == 2 and calls(node.children[0]):
        yield (f"(void)({source.text(node.children[0])});", node.begin, node.end)


def twice(source, node):
    """A call that is made twice."""
    text = source.text(node)
    if node.kind == "CallExpr" and is_statement(node) and node.callee() in ACTS:
        yield (f"{text}, {text}",)
    elif is_condition(node) and node.parent.kind == "IfStmt" and any(one.callee() in ACTS for one in node.all()):
        yield (f"({text}) || ({text})",)


def once(source, node):
    """A loop that is run through once."""
    if node.kind == "WhileStmt":
        yield ("if", node.begin, node.begin + len("while"))
    elif node.kind == "DoStmt":
        condition = node.children[1]
        yield (f"({source.text(condition)}) && 0", condition.begin, condition.end)


def constant(source, node):
    """A constant that is greater by one."""
    if node.kind == "IntegerLiteral" and node.opaque:
        return
    if node.kind in ("IntegerLiteral", "CharacterLiteral", "FloatingLiteral") and not complaint(source, node):
        if node.parent and node.parent.kind == "UnaryOperator" and node.parent.operator == "-":
            return  # of a call's -1: rule unchecked
        yield (f"({source.text(node)} + 1)",)


def flag(source, node):
    """A constant of the system's that is left out, or given where there is none."""
    named = node.kind == "DeclRefExpr" and node.values.get("referencedDecl", {}).get("kind") == "EnumConstantDecl"
    system = node.opaque and node.kind in ("IntegerLiteral", "ParenExpr", "CStyleCastExpr", "BinaryOperator", "DeclRefExpr")
    text = source.text(node)
    if (system or (named and node.opaque)) and re.fullmatch(r"[A-Z_0-9]+", text) and text != "NULL":
        yield (f"(!({text}))",)


def size(source, node):
    """A size that is less by one."""
    if node.kind == "UnaryExprOrTypeTraitExpr":
        yield (f"({source.text(node)} - 1)",)


def text_cut(source, node):
    """A text without its last character."""
    text = source.text(node)
    if node.kind == "StringLiteral" and not node.opaque and len(text) > 2 and text.count('"') == 2 and not complaint(source, node):
        last = re.search(r'(\\x[0-9a-fA-F]+|\\[0-7]{1,3}|\\.|[^\x00-\x7f]|%[^%a-zA-Z]*[a-z]{0,2}[a-zA-Z]|.)"$', text).group(1)
        yield (text[:-1 - len(last)] + '"',)


def text_other(source, node):
    """A text with one letter changed."""
    text = source.text(node)
    if node.kind != "StringLiteral" or node.opaque or complaint(source, node):
        return
    for letter in re.finditer(r"(%[^%a-zA-Z]*[a-z]{0,2}[a-zA-Z])|(\\x[0-9a-fA-F]+|\\.)|([a-zA-Z])", text):
        if letter.group(3):
            other = "z" if letter.group(3) not in "zZ" else "y"
            yield (text[:letter.start()] + other + text[letter.end():],)
            return


def complaint(source, node):
    """It is within a message for a person, of which requirements say a word at most."""
    while node and node.kind != "CallExpr":
        node = node.parent
    if not node:
        return False
    return node.callee() in COMPLAINTS or (node.callee() == "fprintf" and source.text(node.children[1]) == "stderr")


def swap(source, node):
    """Two arguments of a call in each other's place."""
    if node.kind != "CallExpr" or node.opaque or complaint(source, node):
        return
    for first, second in zip(node.children[1:], node.children[2:]):
        kinds = [("*" in one.type or "[" in one.type) for one in (first, second)]
        literal = any(source.text(one).startswith('"') for one in (first, second))
        if kinds[0] == kinds[1] and source.text(first) != source.text(second) and not literal:
            between = source.bytes[first.end:second.begin].decode()
            yield (source.text(second) + between + source.text(first), first.begin, second.end)


def operator(source, node):
    """Another operator."""
    if node.kind not in ("BinaryOperator", "CompoundAssignOperator") or node.opaque or node.operator not in OPERATORS:
        return
    if node.operator in ("==", "!=") and is_condition(node):
        return  # rule negate
    left, right = node.children
    for other in OPERATORS[node.operator]:
        begin = source.bytes.index(node.operator.encode(), left.end, right.begin)
        yield (other, begin, begin + len(node.operator))


def operand(source, node):
    """Only one side of "and" and "or"."""
    if node.kind == "BinaryOperator" and node.operator in ("&&", "||") and not node.opaque:
        for child in node.children:
            yield (source.text(child),)


def step(source, node):
    """Down in place of up."""
    if node.kind == "UnaryOperator" and node.operator in ("++", "--") and not node.opaque:
        text = source.text(node)
        yield (text.replace(node.operator, {"++": "--", "--": "++"}[node.operator]),)


def affirm(source, node):
    """Without "not"."""
    if node.kind == "UnaryOperator" and node.operator == "!" and not node.opaque and not is_condition(node):
        yield (source.text(node)[1:],)


def choice(source, node):
    """Always the one of two values."""
    if node.kind == "ConditionalOperator" and not node.opaque:
        for child in node.children[1:]:
            yield (source.text(child),)


def jump(_source, node):
    """On to the next in place of out of the loop, and the contrary."""
    if node.kind in ("BreakStmt", "ContinueStmt"):
        yield ("continue" if node.kind == "BreakStmt" else "break",)


def result(source, node):
    """Another value is returned."""
    if node.kind == "ReturnStmt" and node.children:
        value = node.children[0]
        text = source.text(value)
        if value.inner().kind == "IntegerLiteral" and not value.inner().opaque:
            return  # rule constant
        if value.inner().opaque and re.fullmatch("[A-Z_]+", text) and text != "NULL":
            return  # rule flag
        yield ("NULL" if "*" in value.type else f"!({text})", value.begin, value.end)


def initial(source, node):
    """A variable or member that begins with nothing."""
    is_variable = node.parent and node.parent.kind == "VarDecl"
    is_member = node.parent and node.parent.kind == "InitListExpr"
    if not (is_variable or is_member) or node.kind in ("InitListExpr", "IntegerLiteral") or node.inner().kind == "IntegerLiteral":
        return
    if node.kind.endswith("Attr") or (node.kind == "ImplicitCastExpr" and "[" in node.parent.type) or node.type.startswith("char["):
        return
    if not re.search(r"[a-z]", source.text(node)) or node.type == "":
        return
    yield ("{}" if node.type.startswith(("struct", "const struct")) and "*" not in node.type else "0",)


RULES = {"drop": drop, "negate": negate, "unchecked": unchecked, "twice": twice, "once": once, "constant": constant,
         "flag": flag, "size": size, "text-cut": text_cut, "text-other": text_other, "swap": swap, "operator": operator,
         "operand": operand, "step": step, "affirm": affirm, "choice": choice, "jump": jump, "result": result,
         "initial": initial}
