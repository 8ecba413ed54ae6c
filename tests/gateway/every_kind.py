"""A message with every kind of field that proto3 has, made at run time."""

from google.protobuf import descriptor_pb2 as d
from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

SCALARS = [
    *("double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string"),
    *("bytes", "uint32", "sfixed32", "sfixed64", "sint32", "sint64"),
]
F = d.FieldDescriptorProto


def _file():
    file = d.FileDescriptorProto(name="every_kind.proto", package="tests", syntax="proto3")
    file.dependency.extend(["google/protobuf/timestamp.proto", "google/protobuf/duration.proto"])
    enum = file.enum_type.add(name="TwoWords")
    for number, name in enumerate(["TWO_WORDS_UNSPECIFIED", "TWO_WORDS_ONE", "OTHER"]):
        enum.value.add(name=name, number=number)
    every = file.message_type.add(name="Every")
    kinds = [(name, getattr(F, f"TYPE_{name.upper()}"), "") for name in SCALARS]
    kinds += [
        ("enum", F.TYPE_ENUM, ".tests.TwoWords"),
        ("when", F.TYPE_MESSAGE, ".google.protobuf.Timestamp"),
        ("span", F.TYPE_MESSAGE, ".google.protobuf.Duration"),
        ("inner", F.TYPE_MESSAGE, ".tests.Every"),
    ]
    number = 0
    for prefix, label in (("one", F.LABEL_OPTIONAL), ("many", F.LABEL_REPEATED)):
        for name, kind, type_name in kinds:
            number += 1
            _field(every, f"{prefix}_{name}", number, kind, type_name, label)
    for name, kind, type_name in kinds[:16]:
        number += 1
        field = _field(every, f"maybe_{name}", number, kind, type_name, F.LABEL_OPTIONAL)
        field.proto3_optional, field.oneof_index = True, number - len(kinds) * 2 - 1
    for name, _, _ in kinds[:16]:
        every.oneof_decl.add(name=f"_maybe_{name}")
    every.oneof_decl.insert(0, d.OneofDescriptorProto(name="either"))
    for field in every.field:
        if field.proto3_optional:
            field.oneof_index += 1
    for name, kind, type_name in (kinds[8], kinds[4], kinds[18]):
        number += 1
        _field(every, f"either_{name}", number, kind, type_name, F.LABEL_OPTIONAL).oneof_index = 0
    values = (kinds[8], kinds[2], kinds[15], kinds[16])
    for key, value in (
        *(("string", value) for value in values),
        ("int32", kinds[8]),
        ("bool", kinds[4]),
    ):
        number += 1
        _map(every, f"by_{key}_{value[0]}", number, key, value)
    return file


def _field(message, name, number, kind, type_name, label):
    field = message.field.add(name=name, number=number, type=kind, label=label)
    if type_name:
        field.type_name = type_name
    return field


def _map(message, name, number, key, value):
    entry = "".join(part.capitalize() for part in name.split("_")) + "Entry"
    nested = message.nested_type.add(name=entry)
    nested.options.map_entry = True
    _field(nested, "key", 1, getattr(F, f"TYPE_{key.upper()}"), "", F.LABEL_OPTIONAL)
    _field(nested, "value", 2, value[1], value[2], F.LABEL_OPTIONAL)
    _field(message, name, number, F.TYPE_MESSAGE, f".tests.Every.{entry}", F.LABEL_REPEATED)


_pool = DescriptorPool()
for _module in (timestamp_pb2, duration_pb2):
    _pool.AddSerializedFile(_module.DESCRIPTOR.serialized_pb)
_pool.AddSerializedFile(_file().SerializeToString())

Every = GetMessageClass(_pool.FindMessageTypeByName("tests.Every"))
