import type { Mutation } from './list.ts';

const echoed = 'test/protocols/echoed-id.test.ts';
const inference = 'test/protocols/render-inference.test.ts';
const completion = 'test/protocols/render-completion.test.ts';
const reader = 'test/protocols/event-reader.test.ts';
const suite = 'test/contract/render.test.ts';

/** The guards of whose answer one is, and of its being whole in whatever form it is given. */
export const rendering: readonly Mutation[] = [
  {
    guards: 'no two callers have one id',
    file: 'gateway/protocols/fresh-id.ts',
    text: 'const drawn = newRequestId();',
    becomes: "const drawn = 'ab'.repeat(16);",
    tests: [completion],
  },
  {
    guards: 'all events of a stream have one id',
    file: 'gateway/protocols/fresh-id.ts',
    text: 'this.#id ??= freshIdLike(id);',
    becomes: 'this.#id = freshIdLike(id);',
    tests: [completion],
  },
  {
    guards: 'who gave no id gets none of another',
    file: 'gateway/protocols/echoed-id.ts',
    text: 'this.#own === null ? removed(json, start, end, nextAt) : ',
    becomes: 'this.#own === null ? null : ',
    tests: [echoed, suite],
  },
  {
    guards: 'an id that has not come is waited for',
    file: 'gateway/protocols/with-id.ts',
    text: 'if (splice === null && !isWhole) {',
    becomes: 'if (splice === null && !isWhole && false) {',
    tests: [inference, completion],
  },
  {
    guards: 'a length that was told stays true',
    file: 'gateway/protocols/with-id.ts',
    text: "Buffer.alloc(roomBytes - grownBytes(splice), ' ')",
    becomes: "Buffer.alloc(0, ' ')",
    tests: [inference],
  },
  {
    guards: 'an answer that breaks off before its id can still be refused',
    file: 'gateway/protocols/with-id.ts',
    text: "how === 'complete' && this.#held",
    becomes: 'this.#held',
    tests: [completion],
  },
  {
    guards: 'what ends early is no whole answer',
    file: 'gateway/protocols/folded-completion.ts',
    text: ' || !choices.every(isFinished)',
    becomes: '',
    tests: [completion],
  },
  {
    guards: 'an error in mid-stream is seen',
    file: 'gateway/protocols/folded-completion.ts',
    text: "if (event.includes('error') && isErrorEvent(event)) throw broken('told of an error in the middle');",
    becomes: '',
    tests: [completion],
  },
  {
    guards: 'a broken stream is no whole answer',
    file: 'gateway/protocols/recast.ts',
    text: "if (how === 'complete') this.#attempt",
    becomes: 'this.#attempt',
    tests: [completion],
  },
  {
    guards: 'gathering has a bound',
    file: 'gateway/protocols/recast.ts',
    text: 'this.#bytes > mostBytes',
    becomes: 'this.#bytes < 0',
    tests: [completion],
  },
  {
    guards: 'what is said of a prototype is not said of an answer',
    file: 'gateway/protocols/join-pieces.ts',
    text: "    if (name === '__proto__') continue;\n",
    becomes: '',
    tests: [completion],
  },
  {
    guards: 'a line end may be cut in two',
    file: 'gateway/protocols/event-reader.ts',
    text: '      if (isEndOfReturn) continue;\n',
    becomes: '',
    tests: [reader],
  },
];
