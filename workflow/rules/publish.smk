TABLES = PLAN.tables()
FIGURES = PLAN.figures()
TOY = (
    [f"{RUN}/figures/toy.{suffix}" for suffix in ["csv", "png", "svg"]]
    if PLAN.config["toy"]
    else []
)
MEASURED = [f"{RUN}/metrics.parquet"] if PLAN.paths("measure") else []
PUBLISHED = [
    *MEASURED,
    *TABLES,
    *FIGURES,
    *TOY,
    *PLAN.paths("gallery"),
    *TRUTH_PUBLISHED,
]
RESULTS = [
    *PLAN_FILES,
    *PLAN.paths("cases", "sample", "candidates", "select", "measure"),
    *PUBLISHED,
]
REPORT = f"{RUN}/report.html"


rule plan:
    output:
        f"{RUN}/plan/{{file}}",
    log:
        f"{RUN}/logs/plan/{{file}}.log",
    conda:
        CPU_ENV
    threads: 1
    params:
        text=lambda wildcards: PLAN_FILES[f"{RUN}/plan/{wildcards.file}"],
    shell:
        "printf '%s\\n' {params.text:q} > {output:q} 2> {log:q}"


rule tables:
    input:
        settings=PUBLISH_SETTINGS,
        metrics=f"{RUN}/metrics.parquet",
    output:
        [path for path in TABLES if not path.endswith(".html")],
        [
            report(
                path,
                caption=caption(f"table_{Path(path).stem}"),
                category="Tables",
                labels={"table": Path(path).stem},
            )
            for path in TABLES
            if path.endswith(".html")
        ],
    log:
        f"{RUN}/logs/tables.log",
    benchmark:
        f"{RUN}/benchmarks/tables.tsv"
    conda:
        CPU_ENV
    threads: 1
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "logged {log:q} python -m benchmark tables --settings {input.settings:q} --metrics {input.metrics:q} "
        "--output-dir {params.folder:q}"


rule figures:
    input:
        settings=PUBLISH_SETTINGS,
        metrics=f"{RUN}/metrics.parquet",
    output:
        [
            report(
                path,
                caption=caption(f"figure_{Path(path).stem}"),
                category="Figures",
                labels={"figure": Path(path).stem},
            )
            for path in FIGURES
            if path.endswith(".png")
        ],
        [path for path in FIGURES if path.endswith(".svg")],
    log:
        f"{RUN}/logs/figures.log",
    benchmark:
        f"{RUN}/benchmarks/figures.tsv"
    conda:
        CPU_ENV
    threads: 1
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "logged {log:q} python -m benchmark figures --settings {input.settings:q} --metrics {input.metrics:q} "
        "--output-dir {params.folder:q}"


rule toy:
    output:
        data=f"{RUN}/figures/toy.csv",
        figure=report(
            f"{RUN}/figures/toy.png",
            caption="../report/toy.rst",
            category="Figures",
            labels={"figure": "toy"},
        ),
        svg=f"{RUN}/figures/toy.svg",
    log:
        f"{RUN}/logs/toy.log",
    benchmark:
        f"{RUN}/benchmarks/toy.tsv"
    conda:
        CPU_ENV
    threads: 1
    shell:
        "logged {log:q} python -m benchmark toy --output-data {output.data:q} --output-figure {output.figure:q} "
        "--output-svg {output.svg:q}"


rule gallery:
    input:
        unpack(needs(GALLERY)),
    output:
        report(
            GALLERY,
            caption="../report/gallery.rst",
            category="Galleries",
            subcategory="{dataset}",
            labels={"task and sampler": "{sheet}"},
        ),
    log:
        f"{RUN}/logs/gallery/{{dataset}}/{{sheet}}.log",
    benchmark:
        f"{RUN}/benchmarks/gallery/{{dataset}}/{{sheet}}.tsv"
    conda:
        CPU_ENV
    threads: 1
    params:
        settings=settings(GALLERY),
    shell:
        "logged {log:q} python -m benchmark gallery --settings {params.settings:q} --cases {input.cases:q} "
        "--sets {input.sets:q} --output {output:q}"


rule report:
    input:
        PUBLISHED,
        config=CONFIGURATION,
    output:
        REPORT,
    log:
        f"{RUN}/logs/report.log",
    conda:
        CPU_ENV
    threads: 1
    params:
        snakefile=workflow.main_snakefile,
    shell:
        "logged {log:q} snakemake published --snakefile {params.snakefile:q} --configfile {input.config:q} --nolock "
        "--workflow-profile none --report {output:q}"
