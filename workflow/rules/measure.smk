rule measure:
    input:
        cases=needs(METRICS, "cases"),
        sets=needs(METRICS, "sets"),
        candidates=needs(METRICS, "candidates"),
    output:
        METRICS,
    params:
        settings=settings(METRICS),
        candidates=lambda wildcards, input: ["--candidates", *input.candidates] if input.candidates else [],
    log:
        f"{RUN}/logs/metrics/{{kind}}/{{dataset}}/{{task}}/{{sampler}}/{{point}}.log",
    benchmark:
        f"{RUN}/benchmarks/metrics/{{kind}}/{{dataset}}/{{task}}/{{sampler}}/{{point}}.tsv"
    conda:
        CPU_ENV
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=240,
    shell:
        "python -m benchmark measure --settings {params.settings:q} --sets {input.sets:q} --cases {input.cases:q} "
        "{params.candidates:q} --output {output:q} 2> {log:q}"


rule collect:
    input:
        manifest=f"{RUN}/plan/metrics.txt",
        metrics=PLAN.paths("measure"),
    output:
        f"{RUN}/metrics.parquet",
    log:
        f"{RUN}/logs/collect.log",
    benchmark:
        f"{RUN}/benchmarks/collect.tsv"
    conda:
        CPU_ENV
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=60,
    shell:
        "python -m benchmark collect --manifest {input.manifest:q} --output {output:q} 2> {log:q}"
