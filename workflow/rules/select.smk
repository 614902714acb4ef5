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
        "logged {log:q} python -m benchmark select --settings {params.settings:q} --candidates {input.candidates:q} "
        "--cases {input.cases:q} --output {output:q}"
