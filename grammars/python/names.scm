(comment) @aside
(decorator) @aside
(decorated_definition definition: (_) @item) @whole

(class_definition name: (identifier) @name superclasses: (_)? @base body: (block) @body) @definition.type
(function_definition name: (identifier) @name return_type: (_)? @type body: (block) @body) @definition.function
(type_alias_statement left: (type (identifier) @name)) @definition.type
(module (expression_statement (assignment left: (identifier) @name type: (_)? @type right: (_)? @body @value) @definition.constant))
(class_definition body: (block (expression_statement (assignment left: (identifier) @name type: (_)? @type right: (_)? @body @value) @definition.field)))
; An attribute set in a method belongs to the class.
(expression_statement (assignment left: (attribute object: (identifier) @_self attribute: (identifier) @name) @definition.attribute type: (_)? @type right: (_)? @value)
  (#eq? @_self "self"))

(import_statement name: (dotted_name) @path @import)
(import_statement name: (aliased_import name: (_) @path alias: (_) @name) @import)
(import_from_statement module_name: (_) @path) @import
(import_from_statement module_name: (_) name: (dotted_name) @name) @import
(import_from_statement module_name: (_) name: (aliased_import alias: (_) @name)) @import
; Brings nothing, refers to nothing.
(future_import_statement) @import

; What is bound here is no reference, and neither are later uses of it.
(parameters (identifier) @binding)
(lambda_parameters (identifier) @binding)
(default_parameter name: (identifier) @binding)
(typed_parameter . (identifier) @binding type: (_) @type)
(typed_default_parameter name: (identifier) @binding type: (_) @type)
(list_splat_pattern (identifier) @binding)
(dictionary_splat_pattern (identifier) @binding)
(assignment left: (identifier) @binding type: (_)? @type right: (_)? @value)
(pattern_list (identifier) @binding)
(for_statement left: (identifier) @binding right: (_) @value)
(for_in_clause left: (identifier) @binding right: (_) @value)
(as_pattern (_) @value alias: (as_pattern_target (identifier) @binding))
(named_expression name: (identifier) @binding value: (_) @value)

(attribute object: (identifier) @receiver attribute: (identifier) @reference.member)
(attribute attribute: (identifier) @reference.member)
(keyword_argument name: (identifier) @reference.member)
((identifier) @reference
  (#not-any-of? @reference "self" "cls" "super" "print" "len" "range" "enumerate" "zip" "map" "filter" "sorted" "reversed"
    "str" "int" "float" "bool" "bytes" "bytearray" "list" "dict" "set" "frozenset" "tuple" "object" "type" "complex"
    "isinstance" "issubclass" "hasattr" "getattr" "setattr" "delattr" "repr" "hash" "id" "iter" "next" "open"
    "min" "max" "sum" "abs" "any" "all" "round" "input" "callable" "staticmethod" "classmethod" "property"
    "Exception" "BaseException" "ValueError" "TypeError" "KeyError" "IndexError" "AttributeError" "RuntimeError"
    "StopIteration" "NotImplementedError" "OSError" "ImportError" "AssertionError" "_"))
