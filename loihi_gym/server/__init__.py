"""The measurement server: one board, measured for solvers and environments anywhere.

    serve      what ``loihi-gym serve`` runs: uvicorn with our limits
    app        the HTTP interface, versioned under /v1
    models     its JSON
    gate       what a request must pass first: token, host, size and time of its body
    auth       tokens, and where a server may listen
    protocol   connections that send no request are closed
    service    what was asked for, what is measured next, who waits
    queue      one queue per client, served in turn
    store      problems by digest, results by (problem, mapping, repeat)
    intake     the process that reads uploads, in bounded memory and time
    worker     the process that measures
    metrics    counters as Prometheus text

A result is stored under the digests of problem and mapping and the repeat's index: whoever asks
again, because an answer was lost or because it took too long, is given that result, or goes on
waiting for it.
"""
