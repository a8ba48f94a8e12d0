// What an ONNX file holds, as plain objects. One type a message of the format; `descriptor.ts` says how each is numbered on the wire.
// Whole numbers of 64 bits are bigints, since files do hold the largest of them ("to the end" in a Slice). Repeated fields
// are always there, if only empty; single ones are absent where the file leaves them out.

/** What one element of a tensor is, by the numbers the format gives. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
} as const;

/** An element type by its name. */
export type ElementType = keyof typeof elementTypes;

/** Which field of an attribute holds its value, by the numbers the format gives. A file without it does not load. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparseTensor: 11,
  sparseTensors: 12,
  valueType: 13,
  valueTypes: 14,
} as const;

/** A name and a text; used for notes on the model and for where a tensor's outside data lies. */
export interface Entry {
  readonly key?: string;
  readonly value?: string;
}

/** A constant array. Its elements lie in `rawData` (little-endian) or in the list for their type, never in both; see `tensor.ts`. */
export interface Tensor {
  readonly name?: string;
  readonly dims: readonly bigint[];
  readonly elementType?: number;
  readonly rawData?: Uint8Array;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly stringData: readonly Uint8Array[];
  readonly int64Data: readonly bigint[];
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly bigint[];
  readonly externalData: readonly Entry[];
  /** 1 where the elements lie in another file, which `externalData` then names. */
  readonly dataLocation?: number;
  readonly segment?: { readonly begin?: bigint; readonly end?: bigint };
  readonly docString?: string;
  readonly metadata: readonly Entry[];
}

/** A constant array of which only the elements that are not zero are written. */
export interface SparseTensor {
  readonly values?: Tensor;
  readonly indices?: Tensor;
  readonly dims: readonly bigint[];
}

/** One extent of a shape: a number, or a name that stands for the same number wherever it occurs, or neither. */
export interface Dimension {
  readonly value?: bigint;
  readonly name?: string;
  readonly denotation?: string;
}

/** What is known of a tensor before the model runs. */
export interface TensorType {
  readonly elementType?: number;
  /** Absent where not even the number of dimensions is known. */
  readonly shape?: { readonly dims: readonly Dimension[] };
}

/** What kind of value flows along an edge: exactly one of the kinds is present. */
export interface ValueType {
  readonly tensor?: TensorType;
  readonly sequence?: { readonly elementType?: ValueType };
  readonly map?: { readonly keyType?: number; readonly valueType?: ValueType };
  readonly optional?: { readonly elementType?: ValueType };
  readonly sparseTensor?: TensorType;
  readonly opaque?: { readonly domain?: string; readonly name?: string };
  readonly denotation?: string;
}

/** A named value with its type: an input, an output, or a note on a value in between. */
export interface Value {
  readonly name?: string;
  readonly type?: ValueType;
  readonly docString?: string;
  readonly metadata: readonly Entry[];
}

/** A named constant of a node. `type` says which of the other fields holds it. */
export interface Attribute {
  readonly name?: string;
  readonly type?: number;
  readonly float?: number;
  readonly int?: bigint;
  readonly string?: Uint8Array;
  readonly tensor?: Tensor;
  readonly graph?: Graph;
  readonly sparseTensor?: SparseTensor;
  readonly valueType?: ValueType;
  readonly floats: readonly number[];
  readonly ints: readonly bigint[];
  readonly strings: readonly Uint8Array[];
  readonly tensors: readonly Tensor[];
  readonly graphs: readonly Graph[];
  readonly sparseTensors: readonly SparseTensor[];
  readonly valueTypes: readonly ValueType[];
  /** Inside a function: the attribute of the function that this one stands for. */
  readonly refersTo?: string;
  readonly docString?: string;
}

/** One operation. An input named '' is an optional one left out. */
export interface Node {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly operator?: string;
  /** Absent or '' for the operators of ONNX itself. */
  readonly domain?: string;
  readonly overload?: string;
  readonly attributes: readonly Attribute[];
  readonly docString?: string;
  readonly metadata: readonly Entry[];
  readonly devices: readonly NodeDevices[];
}

/** Operations in an order in which each comes after those it takes its inputs from. */
export interface Graph {
  readonly name?: string;
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  readonly sparseInitializers: readonly SparseTensor[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly values: readonly Value[];
  readonly quantization: readonly { readonly tensorName?: string; readonly parameterNames: readonly Entry[] }[];
  readonly docString?: string;
  readonly metadata: readonly Entry[];
}

/** A set of operators and its version; the domain is absent or '' for ONNX's own. */
export interface OperatorSet {
  readonly domain?: string;
  readonly version?: bigint;
}

/** An operator that the model defines by other operators. */
export interface ModelFunction {
  readonly name?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributeNames: readonly string[];
  readonly attributeDefaults: readonly Attribute[];
  readonly nodes: readonly Node[];
  readonly values: readonly Value[];
  readonly operatorSets: readonly OperatorSet[];
  readonly docString?: string;
  readonly metadata: readonly Entry[];
}

/** A whole file. */
export interface Model {
  readonly irVersion?: bigint;
  readonly operatorSets: readonly OperatorSet[];
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: bigint;
  readonly docString?: string;
  readonly graph?: Graph;
  readonly metadata: readonly Entry[];
  readonly training: readonly TrainingStep[];
  readonly functions: readonly ModelFunction[];
  readonly configurations: readonly DeviceConfiguration[];
}

/** How a model may be trained further; carried along, never looked at. */
export interface TrainingStep {
  readonly initialization?: Graph;
  readonly algorithm?: Graph;
  readonly initializationBindings: readonly Entry[];
  readonly updateBindings: readonly Entry[];
}

/** A set of devices a model may be spread over; carried along, never looked at. */
export interface DeviceConfiguration {
  readonly name?: string;
  readonly deviceCount?: number;
  readonly devices: readonly string[];
}

/** Where a node runs when the model is spread over devices; carried along, never looked at. */
export interface NodeDevices {
  readonly configuration?: string;
  readonly sharding: readonly object[];
  readonly pipelineStage?: number;
}
