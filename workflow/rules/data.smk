rule cases:
    output:
        cases=CASES,
        preview=report(
            f"{RUN}/cases/{{dataset}}/{{mask}}.png",
            caption="../report/cases.rst",
            category="Cases",
            subcategory="{dataset}",
            labels={"mask": "{mask}"},
        ),
    log:
        f"{RUN}/logs/cases/{{dataset}}/{{mask}}.log",
    benchmark:
        f"{RUN}/benchmarks/cases/{{dataset}}/{{mask}}.tsv"
    conda:
        CPU_ENV
    threads: 1
    params:
        settings=settings(CASES),
    shell:
        "logged {log:q} python -m benchmark cases --settings {params.settings:q} "
        "--output {output.cases:q} --preview {output.preview:q}"
