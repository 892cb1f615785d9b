"""How people and machines are told of an alert: a module a way.

`message` is what they are told, `texts` its words, `outward` HTTP without a way into the own network,
`retries` when it is tried again. A new way is a new module with a `send`, and a line in the server's
`alert_messages`.
"""
