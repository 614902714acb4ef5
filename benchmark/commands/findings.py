"""``python -m benchmark findings``: do the tables of a run bear what docs/findings.md says? Write it anew from them."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Register the command's arguments."""
    parser.add_argument("--statements", default="docs/findings.yaml", help="what is claimed (docs/findings.yaml)")
    parser.add_argument("--tables", default="docs/findings", help="the folder of csv tables (docs/findings)")
    parser.add_argument("--seeds", default="experiments/tuned/seeds.csv", help="what `power` wrote of several seeds")
    parser.add_argument("--write", metavar="FILE", help="write the document there, docs/findings.md")
    parser.add_argument("--excerpt", metavar="DIR", help="write the rows that the statements use there, docs/findings")


def run(args: argparse.Namespace) -> None:
    """Check every statement; fail, in one line for each, where the tables do not bear it."""
    from pathlib import Path

    from benchmark import store
    from benchmark.errors import BenchmarkError
    from benchmark.publish import findings

    spec, tables = findings.load(args.statements), findings.Tables(args.tables)
    wrong = findings.faults(spec, tables)
    if wrong:
        raise BenchmarkError("\n       ".join(["not borne by the tables:", *wrong]))
    text = findings.document(spec, tables, findings.Seeds(args.seeds))
    count = sum(len(statement.spec.get("holds", [])) for statement in findings.statements(spec, tables))
    print(f"{args.statements}: {count} conditions hold in {args.tables}")
    if args.write:
        store.write_text(args.write, text)
    for name, rows in tables.excerpt() if args.excerpt else ():
        store.write_text(Path(args.excerpt) / f"{name}.csv", rows)
