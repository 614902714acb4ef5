rule measure:
    input:
        unpack(needs(METRICS)),
    output:
        METRICS,
    log:
        f"{RUN}/logs/metrics/{{kind}}/{{dataset}}/{{task}}/{{sampler}}/{{part}}.log",
    benchmark:
        f"{RUN}/benchmarks/metrics/{{kind}}/{{dataset}}/{{task}}/{{sampler}}/{{part}}.tsv"
    conda:
        CPU_ENV
    threads: 1
    params:
        settings=settings(METRICS),
    shell:
        "python -m benchmark measure --settings {params.settings:q} --sets {input.sets:q} --cases {input.cases:q} "
        "--candidates {input.candidates:q} --output {output:q} "
        "> {log:q} 2>&1 || {{ cat {log:q} >&2; exit 1; }}"


rule collect:
    input:
        manifest=MANIFEST,
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
    shell:
        "python -m benchmark collect --manifest {input.manifest:q} --output {output:q} "
        "> {log:q} 2>&1 || {{ cat {log:q} >&2; exit 1; }}"
