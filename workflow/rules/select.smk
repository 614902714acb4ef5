rule select:
    input:
        unpack(needs(SELECTED)),
    output:
        SELECTED,
    log:
        f"{RUN}/logs/selected/{{dataset}}/{{task}}/{{sampler}}/{{strategy}}.log",
    benchmark:
        f"{RUN}/benchmarks/selected/{{dataset}}/{{task}}/{{sampler}}/{{strategy}}.tsv"
    conda:
        CPU_ENV
    threads: 1
    params:
        settings=settings(SELECTED),
    shell:
        "python -m benchmark select --settings {params.settings:q} --candidates {input.candidates:q} "
        "--cases {input.cases:q} --output {output:q} "
        "> {log:q} 2>&1 || {{ cat {log:q} >&2; exit 1; }}"
