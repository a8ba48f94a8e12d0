import type { Mutation } from './list.ts';

const canonical = 'test/cache/canonical-json.test.ts';
const key = 'test/cache/key.test.ts';
const identity = 'test/protocols/identity.test.ts';
const storable = 'test/cache/storable.test.ts';
const codec = 'test/cache/entry-codec.test.ts';
const memory = 'test/cache/memory-store.test.ts';
const levels = 'test/cache/two-level-store.test.ts';
const redis = 'test/e2e/redis-faults.test.ts';

/** The guards of what is shared, what is kept, and where. */
export const caching: readonly Mutation[] = [
  {
    guards: 'a name twice is noticed',
    file: 'gateway/cache/canonical-json.ts',
    text: 'countMembers(text) === writer.memberCount',
    becomes: 'countMembers(text) >= 0',
    tests: [canonical],
  },
  {
    guards: 'a number that no double holds is noticed',
    file: 'gateway/cache/canonical-json.ts',
    text: ' || decimal(written) !== decimal(canonical)',
    becomes: '',
    tests: [canonical],
  },
  {
    guards: 'minus zero is no zero',
    file: 'gateway/cache/canonical-json.ts',
    text: 'Object.is(value, -0) || ',
    becomes: '',
    tests: [canonical],
  },
  {
    guards: 'tenants share nothing',
    file: 'gateway/cache/key.ts',
    text: '    tenant,\n    head.method,',
    becomes: '    head.method,',
    tests: [key],
  },
  {
    guards: 'only headers that go upstream are in the key, all of them',
    file: 'gateway/cache/key.ts',
    text: 'framing.includes(name) ? null : meaningOf(name, head.headers[name])',
    becomes: 'framing.includes(name)',
    tests: [key],
  },
  {
    guards: 'raw parts are told apart',
    file: 'gateway/cache/key.ts',
    text: '    raw.map(({ length }) => length),\n',
    becomes: '',
    tests: [identity],
  },
  {
    guards: 'tensors that lie elsewhere are not compared',
    file: 'gateway/protocols/open-inference.ts',
    text: '  if (dependsOnMore(json)) return null;\n',
    becomes: '',
    tests: [identity],
  },
  {
    guards: 'a long request names what is cut out once',
    file: 'gateway/protocols/identity.ts',
    text: 'if (!isWhole || twice !== null) return null;',
    becomes: '',
    tests: [identity],
  },
  {
    guards: 'no answer with a cookie is kept',
    file: 'gateway/cache/storable.ts',
    text: "  if (headerLines(headers, 'set-cookie') !== null) return 'cookie';\n",
    becomes: '',
    tests: [storable],
  },
  {
    guards: 'no answer that broke off is kept',
    file: 'gateway/cache/storable.ts',
    text: "end !== 'complete' || ",
    becomes: '',
    tests: [storable],
  },
  {
    guards: 'a value of another key is none',
    file: 'gateway/cache/entry-codec.ts',
    text: ', crc32(key))',
    becomes: ', key.length === -1 ? 1 : 0)',
    tests: [codec],
  },
  {
    guards: 'a changed value is none',
    file: 'gateway/cache/entry-codec.ts',
    text: ' && bytes.readUInt32BE(checkAt) === checksum(key, bytes)',
    becomes: ' && checksum(key, bytes) >= 0',
    tests: [codec],
  },
  {
    guards: 'what is asked for again stays',
    file: 'gateway/cache/memory-store.ts',
    text: '    place.wasAsked = true;\n',
    becomes: '',
    tests: [memory],
  },
  {
    guards: 'the hand goes on from where it stopped',
    file: 'gateway/cache/memory-store.ts',
    text: '    this.#hand = place;\n',
    becomes: '',
    tests: [memory],
  },
  {
    guards: 'memory has a bound',
    file: 'gateway/cache/memory-store.ts',
    text: 'this.#accountedBytes + costBytes > this.#maxBytes',
    becomes: 'this.#accountedBytes > this.#maxBytes',
    tests: [memory],
  },
  {
    guards: 'what was purged does not come back by an answer under way',
    file: 'gateway/cache/two-level-store.ts',
    text: '    this.#purges += 1;\n',
    becomes: '',
    tests: [levels],
  },
  {
    guards: 'an older answer does not take the place of a newer',
    file: 'gateway/cache/two-level-store.ts',
    text: 'near.freshness.storedAtMs >= far.freshness.storedAtMs',
    becomes: 'near === far',
    tests: [levels],
  },
  {
    guards: 'nobody waits longer for Redis than may be',
    file: 'gateway/cache/redis-link.ts',
    text: 'this.#clock.after(this.#waitMs, ',
    becomes: 'this.#clock.after(10 * this.#waitMs, ',
    tests: [redis],
  },
  {
    guards: 'a Redis that does not answer is left alone',
    file: 'gateway/cache/redis-link.ts',
    text: "return this.#breaker.enter() ? null : 'paused';",
    becomes: 'return this.#breaker.enter() ? null : null;',
    tests: [redis],
  },
  {
    guards: 'what waits for Redis is bounded',
    file: 'gateway/cache/redis-link.ts',
    text: 'this.#commands >= mostCommands || ',
    becomes: '',
    tests: [redis],
  },
  {
    guards: 'what came in time is an answer',
    file: 'gateway/cache/redis-link.ts',
    text: 'afterPendingEvents(() => end(',
    becomes: '((call: () => void) => call())(() => end(',
    tests: [redis],
  },
  {
    guards: 'a value that is none of ours is told of',
    file: 'gateway/cache/redis-store.ts',
    text: "    if (entry === null) link.faults.publish('junk');\n",
    becomes: '',
    tests: [redis],
  },
];
