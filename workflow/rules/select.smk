rule select:
    input:
        cases=needs(SELECTED, "cases"),
        candidates=needs(SELECTED, "candidates"),
    output:
        SELECTED,
    params:
        settings=settings(SELECTED),
    log:
        f"{RUN}/logs/selected/{{dataset}}/{{task}}/{{sampler}}/{{strategy}}.log",
    benchmark:
        f"{RUN}/benchmarks/selected/{{dataset}}/{{task}}/{{sampler}}/{{strategy}}.tsv"
    conda:
        CPU_ENV
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=120,
    shell:
        "python -m benchmark select --settings {params.settings:q} --candidates {input.candidates:q} "
        "--cases {input.cases:q} --output {output:q} 2> {log:q}"
