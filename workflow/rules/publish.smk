TABLES = expand(f"{RUN}/tables/{{name}}.{{format}}", name=PLAN.tables(), format=["csv", "md", "tex", "html"])
FIGURES = expand(f"{RUN}/figures/{{name}}.{{format}}", name=PLAN.figures(), format=["png", "svg"])
TOY = expand(f"{RUN}/figures/toy.{{format}}", format=["csv", "png", "svg"]) if PLAN.config["toy"] else []
RESULTS = [f"{RUN}/metrics.parquet", *TABLES, *FIGURES, *TOY, *PLAN.paths("gallery")]
REPORT = f"{RUN}/report.html"
SETTINGS_FILES = {
    "metrics.txt": PLAN.manifest(),
    "publish.json": canonical(PLAN.publish_settings()),
    "config.json": canonical(PLAN.config),
}


rule plan:
    output:
        f"{RUN}/plan/{{file}}",
    params:
        text=lambda wildcards: SETTINGS_FILES[wildcards.file],
    log:
        f"{RUN}/logs/plan/{{file}}.log",
    conda:
        CPU_ENV
    threads: 1
    wildcard_constraints:
        file="metrics.txt|publish.json|config.json",
    shell:
        "printf '%s\\n' {params.text:q} > {output:q} 2> {log:q}"


rule tables:
    input:
        settings=f"{RUN}/plan/publish.json",
        metrics=f"{RUN}/metrics.parquet",
    output:
        [path for path in TABLES if not path.endswith(".html")],
        [
            report(
                path,
                caption="../report/table.rst",
                category="Tables",
                labels={"table": Path(path).stem},
            )
            for path in TABLES
            if path.endswith(".html")
        ],
    params:
        folder=f"{RUN}/tables",
    log:
        f"{RUN}/logs/tables.log",
    benchmark:
        f"{RUN}/benchmarks/tables.tsv"
    conda:
        CPU_ENV
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    shell:
        "python -m benchmark tables --settings {input.settings:q} --metrics {input.metrics:q} "
        "--output-dir {params.folder:q} 2> {log:q}"


rule figures:
    input:
        settings=f"{RUN}/plan/publish.json",
        metrics=f"{RUN}/metrics.parquet",
    output:
        [
            report(
                path,
                caption="../report/figure.rst",
                category="Figures",
                labels={"figure": Path(path).stem},
            )
            for path in FIGURES
            if path.endswith(".png")
        ],
        [path for path in FIGURES if path.endswith(".svg")],
    params:
        folder=f"{RUN}/figures",
    log:
        f"{RUN}/logs/figures.log",
    benchmark:
        f"{RUN}/benchmarks/figures.tsv"
    conda:
        CPU_ENV
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    shell:
        "python -m benchmark figures --settings {input.settings:q} --metrics {input.metrics:q} "
        "--output-dir {params.folder:q} 2> {log:q}"


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
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    shell:
        "python -m benchmark toy --output-data {output.data:q} --output-figure {output.figure:q} "
        "--output-svg {output.svg:q} 2> {log:q}"


rule gallery:
    input:
        cases=needs(GALLERY, "cases"),
        sets=needs(GALLERY, "sets"),
    output:
        report(
            GALLERY,
            caption="../report/gallery.rst",
            category="Galleries",
            subcategory="{dataset}",
            labels={"task and sampler": "{sheet}"},
        ),
    params:
        settings=settings(GALLERY),
    log:
        f"{RUN}/logs/gallery/{{dataset}}/{{sheet}}.log",
    benchmark:
        f"{RUN}/benchmarks/gallery/{{dataset}}/{{sheet}}.tsv"
    conda:
        CPU_ENV
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    shell:
        "python -m benchmark gallery --settings {params.settings:q} --cases {input.cases:q} --sets {input.sets:q} "
        "--output {output:q} 2> {log:q}"


rule report:
    input:
        RESULTS,
        config=f"{RUN}/plan/config.json",
    output:
        REPORT,
    params:
        snakefile=workflow.main_snakefile,
    log:
        f"{RUN}/logs/report.log",
    conda:
        CPU_ENV
    threads: 1
    shell:
        "snakemake results --snakefile {params.snakefile:q} --configfile {input.config:q} --nolock "
        "--workflow-profile none --report {output:q} > {log:q} 2>&1"
