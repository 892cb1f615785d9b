"""The FastAPI app that people and workers talk to; one module a resource.

A request goes through `edge` (size, CSRF, headers), then `rights` (who may), then its resource's
module, which asks the store or `sites_state` and shapes the answer by `shapes`. What changes goes
out by `updates`. `app` puts it together, `serve` runs it.
"""
