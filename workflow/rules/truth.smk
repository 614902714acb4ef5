# Samplers held against exact posteriors: one job for each problem and sampler, their tables and figures.
TRUTH = f"{RUN}/truth/{{problem}}/{{sampler}}.parquet"
TRUTH_FILES = PLAN.paths("truth")
TRUTH_PUBLISHED = []

if TRUTH_FILES:
    TRUTH_TABLES = [
        f"{RUN}/tables/{name}.{suffix}"
        for name in table_names(PLAN.exact_report_settings(), "exact")
        for suffix in TABLE_FORMATS
    ]
    TRUTH_FIGURES = [
        f"{RUN}/figures/{name}.{suffix}"
        for name in figure_names(PLAN.exact_report_settings(), "exact")
        for suffix in FIGURE_FORMATS
    ]
    CAPTIONS |= captions(PLAN.exact_report_settings(), "exact")
    TRUTH_MANIFEST = plan_file("truth.txt", PLAN.manifest("truth"))
    TRUTH_SETTINGS = plan_file(
        "truth.json", canonical(PLAN.exact_report_settings().json)
    )
    TRUTH_PUBLISHED = [f"{RUN}/truth.parquet", *TRUTH_TABLES, *TRUTH_FIGURES]

    rule truth:
        output:
            TRUTH,
        log:
            f"{RUN}/logs/truth/{{problem}}/{{sampler}}.log",
        benchmark:
            f"{RUN}/benchmarks/truth/{{problem}}/{{sampler}}.tsv"
        wildcard_constraints:
            problem="[A-Za-z][A-Za-z0-9_-]*",
        conda:
            CPU_ENV
        threads: 1
        params:
            settings=settings(TRUTH),
        shell:
            "logged {log:q} python -m benchmark truth --settings {params.settings:q} --output {output:q} "
            "--threads {threads}"

    rule truth_collect:
        input:
            manifest=TRUTH_MANIFEST,
            truth=TRUTH_FILES,
        output:
            f"{RUN}/truth.parquet",
        log:
            f"{RUN}/logs/truth_collect.log",
        conda:
            CPU_ENV
        threads: 1
        shell:
            "logged {log:q} python -m benchmark collect --kind truth --manifest {input.manifest:q} --output {output:q}"

    rule truth_report:
        input:
            settings=TRUTH_SETTINGS,
            truth=f"{RUN}/truth.parquet",
        output:
            [
                path
                for path in [*TRUTH_TABLES, *TRUTH_FIGURES]
                if not path.endswith((".html", ".png"))
            ],
            [
                report(
                    path,
                    caption=caption(f"table_{Path(path).stem}"),
                    category="Tables",
                    labels={"table": Path(path).stem},
                )
                for path in TRUTH_TABLES
                if path.endswith(".html")
            ],
            [
                report(
                    path,
                    caption=caption(f"figure_{Path(path).stem}"),
                    category="Figures",
                    labels={"figure": Path(path).stem},
                )
                for path in TRUTH_FIGURES
                if path.endswith(".png")
            ],
        log:
            f"{RUN}/logs/truth_report.log",
        benchmark:
            f"{RUN}/benchmarks/truth_report.tsv"
        conda:
            CPU_ENV
        threads: 1
        params:
            tables=f"{RUN}/tables",
            figures=f"{RUN}/figures",
        shell:
            "logged {log:q} python -m benchmark truth-report --settings {input.settings:q} --truth {input.truth:q} "
            "--tables {params.tables:q} --figures {params.figures:q}"
