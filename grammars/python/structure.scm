; What a completion may fill as a whole: a suite, or everything between a pair of brackets.
(block) @block
(argument_list) @block
(parameters) @block
(list) @block
(dictionary) @block
(set) @block
(tuple) @block

; Where brackets and keywords mean nothing.
(comment) @opaque
(string) @opaque
