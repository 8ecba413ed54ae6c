"""The printing agent: what a kiosk's page has on its screen, on the paper of an ESC/POS printer.

It runs on the kiosk's own machine, listens on 127.0.0.1 and nowhere else, and admits the pages of
the origins that it was told. It keeps nothing but, in memory, which slips it has printed. Absent:
the queue, tokens, and texts of its own; the words come from the page, in the page's language.

    slip     what is asked for, judged
    status   what a printer's status bytes mean                            pure
    letters  words in the characters that the printer has                  pure
    figure   the number, as high as a hall needs it, in dots
    receipt  a slip as ESC/POS, by python-escpos
    wire     the way to the printer: a TCP port or a device file
    press    one slip at a time, each copy once
    door     whom the agent answers
    app      HTTP
"""
