import protobuf from 'protobufjs/light.js';

interface Field {
  readonly id: number;
  readonly type: string;
  readonly rule?: 'repeated';
  readonly options?: { readonly packed: boolean };
}

const one = (id: number, type: string): Field => ({ id, type });
const many = (id: number, type: string): Field => ({ id, type, rule: 'repeated', options: { packed: false } });
const packed = (id: number, type: string): Field => ({ id, type, rule: 'repeated', options: { packed: true } });

const documented = (docString: number, metadata: number) => ({
  docString: one(docString, 'string'),
  metadata: many(metadata, 'Entry'),
});

const graphs = {
  Model: {
    irVersion: one(1, 'int64'),
    operatorSets: many(8, 'OperatorSet'),
    producerName: one(2, 'string'),
    producerVersion: one(3, 'string'),
    domain: one(4, 'string'),
    modelVersion: one(5, 'int64'),
    graph: one(7, 'Graph'),
    training: many(20, 'TrainingStep'),
    functions: many(25, 'ModelFunction'),
    configurations: many(26, 'DeviceConfiguration'),
    ...documented(6, 14),
  },
  OperatorSet: { domain: one(1, 'string'), version: one(2, 'int64') },
  Graph: {
    nodes: many(1, 'Node'),
    name: one(2, 'string'),
    initializers: many(5, 'Tensor'),
    sparseInitializers: many(15, 'SparseTensor'),
    inputs: many(11, 'Value'),
    outputs: many(12, 'Value'),
    values: many(13, 'Value'),
    quantization: many(14, 'Quantization'),
    ...documented(10, 16),
  },
  Quantization: { tensorName: one(1, 'string'), parameterNames: many(2, 'Entry') },
  Node: {
    inputs: many(1, 'string'),
    outputs: many(2, 'string'),
    name: one(3, 'string'),
    operator: one(4, 'string'),
    domain: one(7, 'string'),
    overload: one(8, 'string'),
    attributes: many(5, 'Attribute'),
    devices: many(10, 'NodeDevices'),
    ...documented(6, 9),
  },
  ModelFunction: {
    name: one(1, 'string'),
    domain: one(10, 'string'),
    overload: one(13, 'string'),
    inputs: many(4, 'string'),
    outputs: many(5, 'string'),
    attributeNames: many(6, 'string'),
    attributeDefaults: many(11, 'Attribute'),
    nodes: many(7, 'Node'),
    values: many(12, 'Value'),
    operatorSets: many(9, 'OperatorSet'),
    ...documented(8, 14),
  },
};

const values = {
  Attribute: {
    name: one(1, 'string'),
    type: one(20, 'int32'),
    float: one(2, 'float'),
    int: one(3, 'int64'),
    string: one(4, 'bytes'),
    tensor: one(5, 'Tensor'),
    graph: one(6, 'Graph'),
    sparseTensor: one(22, 'SparseTensor'),
    valueType: one(14, 'ValueType'),
    floats: many(7, 'float'),
    ints: many(8, 'int64'),
    strings: many(9, 'bytes'),
    tensors: many(10, 'Tensor'),
    graphs: many(11, 'Graph'),
    sparseTensors: many(23, 'SparseTensor'),
    valueTypes: many(15, 'ValueType'),
    refersTo: one(21, 'string'),
    docString: one(13, 'string'),
  },
  Tensor: {
    name: one(8, 'string'),
    dims: many(1, 'int64'),
    elementType: one(2, 'int32'),
    segment: one(3, 'Segment'),
    floatData: packed(4, 'float'),
    int32Data: packed(5, 'int32'),
    stringData: many(6, 'bytes'),
    int64Data: packed(7, 'int64'),
    rawData: one(9, 'bytes'),
    doubleData: packed(10, 'double'),
    uint64Data: packed(11, 'uint64'),
    externalData: many(13, 'Entry'),
    dataLocation: one(14, 'int32'),
    ...documented(12, 16),
  },
  Segment: { begin: one(1, 'int64'), end: one(2, 'int64') },
  SparseTensor: { values: one(1, 'Tensor'), indices: one(2, 'Tensor'), dims: many(3, 'int64') },
  Entry: { key: one(1, 'string'), value: one(2, 'string') },
};

const types = {
  Value: { name: one(1, 'string'), type: one(2, 'ValueType'), ...documented(3, 4) },
  ValueType: {
    tensor: one(1, 'TensorType'),
    sequence: one(4, 'Element'),
    map: one(5, 'MapType'),
    opaque: one(7, 'OpaqueType'),
    sparseTensor: one(8, 'TensorType'),
    optional: one(9, 'Element'),
    denotation: one(6, 'string'),
  },
  TensorType: { elementType: one(1, 'int32'), shape: one(2, 'Shape') },
  Shape: { dims: many(1, 'Dimension') },
  Dimension: { value: one(1, 'int64'), name: one(2, 'string'), denotation: one(3, 'string') },
  Element: { elementType: one(1, 'ValueType') },
  MapType: { keyType: one(1, 'int32'), valueType: one(2, 'ValueType') },
  OpaqueType: { domain: one(1, 'string'), name: one(2, 'string') },
};

// Never read by us. They are described so that a model that is loaded, changed and saved loses nothing.
const carriedAlong = {
  TrainingStep: {
    initialization: one(1, 'Graph'),
    algorithm: one(2, 'Graph'),
    initializationBindings: many(3, 'Entry'),
    updateBindings: many(4, 'Entry'),
  },
  DeviceConfiguration: { name: one(1, 'string'), deviceCount: one(2, 'int32'), devices: many(3, 'string') },
  NodeDevices: { configuration: one(1, 'string'), sharding: many(2, 'Sharding'), pipelineStage: one(3, 'int32') },
  Sharding: {
    tensorName: one(1, 'string'),
    devices: many(2, 'int64'),
    groups: many(3, 'DeviceGroup'),
    dims: many(4, 'ShardedDimension'),
  },
  DeviceGroup: { index: one(1, 'int64'), devices: many(2, 'int64') },
  ShardedDimension: { axis: one(1, 'int64'), shards: many(2, 'Shard') },
  Shard: { value: one(1, 'int64'), name: one(2, 'string'), count: one(3, 'int64') },
};

const messages: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ...graphs,
  ...values,
  ...types,
  ...carriedAlong,
};

// By the rules of proto2, a field that says 0 is not the same as one left out, and is written.
const described = Object.entries(messages).map(([name, fields]) => [
  name,
  { edition: 'proto2', fields: { ...fields } },
]);

/**
 * The ONNX file format (IR version 14 and all before it) as a protobufjs type. Names are ours, numbers are the format's;
 * enumerations are plain integers, and the alternatives of a `oneof` plain fields, which is the same on the wire.
 */
export const modelMessage: protobuf.Type = protobuf.Root.fromJSON({
  nested: Object.fromEntries(described),
}).lookupType('Model');
