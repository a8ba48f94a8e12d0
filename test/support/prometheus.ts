import assert from 'node:assert/strict';

/** One line of figures. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What Prometheus reads of one metric. */
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Reads the text format of Prometheus as strictly as it does, and demands what it demands: help and type first, no label set twice. */
export function readPrometheus(text: string): Map<string, Family> {
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  const seen = new Set<string>();
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, word, named = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line) ?? [];
    if (word === 'HELP') {
      assert.ok(!families.has(named), `${named} is there twice`);
      families.set(named, { type: '', help: rest, samples: [] });
    } else if (word === 'TYPE') (families.get(named) ?? assert.fail(`${named} has no help`)).type = rest;
    else {
      const sample = readSample(line);
      const key = line.slice(0, line.lastIndexOf(' '));
      assert.ok(!seen.has(key), `${key} is there twice`);
      seen.add(key);
      const family = families.get(sample.name) ?? families.get(sample.name.replace(/_(bucket|sum|count)$/, ''));
      (family ?? assert.fail(`${sample.name} has no type`)).samples.push(sample);
    }
  }
  return families;
}

function readSample(line: string): Sample {
  const [, name = '', labelText = '', number = ''] =
    /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line) ?? [];
  assert.notEqual(name, '', `not in the text format: ${line}`);
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number);
  assert.ok(!Number.isNaN(value), `no number: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, label = '', escaped = ''] of labelText.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/g))
    labels[label] = escaped.replace(/\\(["\\n])/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
  return { name, labels, value };
}
