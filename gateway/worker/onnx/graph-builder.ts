import type { AttributeValue } from './attribute.ts';
import { type ElementType, elementTypes, type Graph, type Model, type Node, type Tensor, type Value } from './model.ts';
import { type Elements, newTensor } from './tensor.ts';

/** The extents of an input or output: a number, or a name for what is known only when the model runs. */
export type Dims = readonly (number | string)[];

interface NodeDetails {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Names for the node's outputs; without them it has one, named like the node. */
  readonly outputs?: readonly string[];
  /** For operators that are not ONNX's own, such as `com.microsoft`; the model must then import that operator set. */
  readonly domain?: string;
}

interface ModelDetails {
  readonly irVersion: number;
  readonly producerName: string;
  /** By domain; ONNX's own operators are the domain ''. */
  readonly operatorSets: Readonly<Record<string, number>>;
  readonly docString?: string;
}

/**
 * Builds a graph in the order in which it computes. Every method returns the name of the value it made, which is what the
 * next node takes as input, so that an expression of calls reads like the formula. A name given twice is an error.
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #initializers: Tensor[] = [];
  readonly #nodes: Node[] = [];
  readonly #names = new Set<string>();

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: ElementType, dims: Dims): string {
    this.#newName(name);
    this.#inputs.push(typedValue(name, type, dims));
    return name;
  }

  /** Declares a value that a node has made as an output of the graph. */
  output(name: string, type: ElementType, dims: Dims): void {
    this.#known(name);
    this.#outputs.push(typedValue(name, type, dims));
  }

  initializer(name: string, dims: readonly number[], elements: Elements): string {
    this.#newName(name);
    this.#initializers.push(newTensor(name, dims, elements));
    return name;
  }

  /** Adds an operation and returns its first output. An input '' leaves out an optional one. */
  node(operator: string, inputs: readonly string[], details: NodeDetails = {}): string {
    for (const input of inputs) if (input !== '') this.#known(input);
    const name = details.outputs?.[0] ?? `${operator.toLowerCase()}_${this.#nodes.length}`;
    const outputs = details.outputs ?? [name];
    for (const output of outputs) this.#newName(output);
    const attributes = Object.entries(details.attributes ?? {}).map(([key, value]) => ({ ...value, name: key }));
    const domain = details.domain === undefined ? {} : { domain: details.domain };
    this.#nodes.push({ name, operator, inputs, outputs, attributes, metadata: [], devices: [], ...domain });
    return name;
  }

  graph(): Graph {
    return {
      name: this.#name,
      nodes: [...this.#nodes],
      initializers: [...this.#initializers],
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      sparseInitializers: [],
      values: [],
      quantization: [],
      metadata: [],
    };
  }

  model(details: ModelDetails): Model {
    const sets = Object.entries(details.operatorSets);
    return {
      irVersion: BigInt(details.irVersion),
      producerName: details.producerName,
      operatorSets: sets.map(([domain, version]) => ({ domain, version: BigInt(version) })),
      graph: this.graph(),
      ...(details.docString === undefined ? {} : { docString: details.docString }),
      metadata: [],
      training: [],
      functions: [],
      configurations: [],
    };
  }

  #newName(name: string): void {
    if (this.#names.has(name)) throw new RangeError(`graph ${this.#name} already has a value named ${name}`);
    this.#names.add(name);
  }

  #known(name: string): void {
    if (!this.#names.has(name)) throw new RangeError(`graph ${this.#name} has no value named ${name}`);
  }
}

function typedValue(name: string, type: ElementType, dims: Dims): Value {
  const extents = dims.map((extent) => (typeof extent === 'string' ? { name: extent } : { value: BigInt(extent) }));
  return { name, type: { tensor: { elementType: elementTypes[type], shape: { dims: extents } } }, metadata: [] };
}
