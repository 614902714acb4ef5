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
        "logged {log:q} python -m benchmark measure --settings {params.settings:q} --sets {input.sets:q} "
        "--cases {input.cases:q} --candidates {input.candidates:q} --output {output:q}"


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
        "logged {log:q} python -m benchmark collect --manifest {input.manifest:q} --output {output:q}"
