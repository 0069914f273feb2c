"""A rough reading of Rust text: enough to tell code from comments, strings and tests without a compiler."""

import re

TOKEN = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | b?r(?P<hashes>\#*)".*?"(?P=hashes)
      | b?"(?:\\.|[^"\\])*"
      | b?'(?:\\.[^']*|[^\\'\n])'""",
    re.S | re.X,
)


def without_comments(text):
    """Blanks comments and keeps strings; lines keep their numbers."""
    return TOKEN.sub(lambda match: newlines(match) if match.group().startswith("/") else match.group(), text)


def without_strings(text):
    """Blanks comments and the insides of strings and characters."""
    return TOKEN.sub(lambda match: newlines(match) if match.group().startswith("/") else '""' + newlines(match), text)


def newlines(match):
    return "\n" * match.group().count("\n")


def without_tests(text):
    """Removes what stands behind `#[cfg(test)]`: a module, a function or an import."""
    while match := re.search(r"#\[cfg\((?:test|all\(test\b[^]]*)\)\]", text):
        end = end_of_item(text, match.end())
        text = text[: match.start()] + "\n" * text.count("\n", match.start(), end) + text[end:]
    return text


def end_of_item(text, start):
    """The place behind an item: its closing brace, or the semicolon if it has no body."""
    skipped = TOKEN.sub(lambda match: " " * len(match.group()), text)
    depth = 0
    for position in range(start, len(skipped)):
        character = skipped[position]
        if character == ";" and depth == 0:
            return position + 1
        depth += (character in "{([") - (character in "})]")
        if character == "}" and depth == 0:
            return position + 1
    return len(text)


def sources(package_root):
    """The files of a crate that are compiled into it: everything in src that is not a test."""
    for path in sorted((package_root / "src").rglob("*.rs")):
        if path.stem != "tests" and "tests" not in path.relative_to(package_root).parts:
            yield path


def line_of(text, position):
    return text.count("\n", 0, position) + 1
