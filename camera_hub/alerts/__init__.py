"""Which events somebody must see, what becomes of them, and how people and machines are told.

Pure where it decides: `occurrence` is what a rule judges, `times` hours, days and holidays, `rule` whether a
rule means an occurrence, `engine` which occurrences make one alert, `life` what people may do with it.
Nothing here knows of the database or of HTTP.
"""
