import type { Mutation } from './list.ts';

const flights = 'test/cache/shared-flights.test.ts';
const histories = 'test/cache/shared-flights-histories.test.ts';
const count = 'test/cache/gateway-count.test.ts';
const leases = 'test/contract/leases.test.ts';
const live = 'test/e2e/shared-flights.test.ts';
const faults = 'test/e2e/shared-flights-faults.test.ts';
const liveCount = 'test/e2e/gateway-count.test.ts';

const bid = 'gateway/cache/bid.ts';
const held = 'gateway/cache/held-lease.ts';
const gateways = 'gateway/cache/gateway-count.ts';
const wakeups = 'gateway/cache/redis-wakeups.ts';

/** The guards of what gateways do for each other by way of Redis. */
export const sharing: readonly Mutation[] = [
  {
    guards: 'whoever takes a lease looks into the store again',
    file: bid,
    text: "if (taken === 'taken') await this.#lead();",
    becomes: "if (taken === 'taken') this.#settle({ kind: 'taken' });",
    tests: [flights, histories],
  },
  {
    guards: 'a lease that is not wanted is given back where the answer is there',
    file: bid,
    text: "    if (entry !== null) this.#options.onUnwanted('stored');\n    else if",
    becomes: '    if',
    tests: [flights, histories],
  },
  {
    guards: 'a lease that is not wanted is given back where nobody waits any more',
    file: bid,
    text: "    else if (this.#isOver) this.#options.onUnwanted('failed');\n",
    becomes: '',
    tests: [flights],
  },
  {
    guards: 'a lease of which nobody knows is given back',
    file: bid,
    text: "    if (taken === undefined) this.#options.onUnwanted('failed');\n",
    becomes: '',
    tests: [flights],
  },
  {
    guards: 'nobody waits for the next one where what was stored is not there',
    file: bid,
    text: "      if (heard === 'stored') return this.#settle(alone);\n",
    becomes: '',
    tests: [flights],
  },
  {
    guards: 'who waits looks every so often',
    file: bid,
    text: "() => this.#hear('look'));\n      await",
    becomes: '() => {});\n      await',
    tests: [flights, histories],
  },
  {
    guards: 'waiting has an end',
    file: bid,
    text: 'options.clock.after(options.withinMs, this.#leave)',
    becomes: 'options.clock.after(60_000, this.#leave)',
    tests: [flights, histories],
  },
  {
    guards: 'who leaves waits no more',
    file: bid,
    text: '    options.cancellation.onCancel(this.#leave);\n',
    becomes: '',
    tests: [flights, histories],
  },
  {
    guards: 'who is done listens no more',
    file: bid,
    text: '    this.#unwatch?.();\n',
    becomes: '',
    tests: [flights, histories],
  },
  {
    guards: 'only what is fresh is found',
    file: bid,
    text: "entry !== null && useOf(entry.freshness, clock.wallMs()) === 'fresh' ? entry : null",
    becomes: 'entry',
    tests: [flights],
  },
  {
    guards: 'a lease is renewed',
    file: held,
    text: '      if (clock.nowMs() < untilMs) void this.#renew();\n',
    becomes: '',
    tests: [flights, live],
  },
  {
    guards: 'a lease is not renewed beyond the deadline',
    file: held,
    text: 'if (clock.nowMs() < untilMs) void',
    becomes: 'void',
    tests: [flights],
  },
  {
    guards: 'a lease ends once',
    file: held,
    text: '    if (this.#ending !== null) return;\n',
    becomes: '',
    tests: [flights],
  },
  {
    guards: 'an end that was not heard is told again',
    file: held,
    text: 'isHeard || ',
    becomes: 'true || ',
    tests: [flights],
  },
  {
    guards: 'nobody waits where there is no time left',
    file: 'gateway/cache/shared-flights.ts',
    text: 'withinMs <= 0 || ',
    becomes: '',
    tests: [flights],
  },
  {
    guards: 'nobody waits longer than half of its time',
    file: 'gateway/cache/shared-flights.ts',
    text: '(patience.deadlineMs - clock.nowMs()) / 2',
    becomes: 'patience.deadlineMs - clock.nowMs()',
    tests: [flights, histories],
  },
  {
    guards: 'what waits is ended with its gateway',
    file: 'gateway/cache/shared-flights.ts',
    text: '    for (const one of [...this.#open]) one.close();\n',
    becomes: '',
    tests: [flights],
  },
  {
    guards: 'one is told when it hears what comes',
    file: wakeups,
    text: 'this.#connection.subscribe(...names).then(() => tell(channels, true), ignore);',
    becomes: 'this.#connection.subscribe(...names).then(ignore, ignore);',
    tests: [leases],
  },
  {
    guards: 'one that listens where others do is told at once',
    file: wakeups,
    text: '    if (isLive) hear(null);\n',
    becomes: '',
    tests: [leases],
  },
  {
    guards: 'what is watched is heard again after a connection broke',
    file: wakeups,
    text: "    connection.on('ready', () => this.#subscribe([...this.#channels.keys()]));\n",
    becomes: '',
    tests: [leases, live],
  },
  {
    guards: 'listening is taken up again',
    file: wakeups,
    text: '    this.#connectLater();\n    tell(',
    becomes: '    tell(',
    tests: [live],
  },
  {
    guards: 'what nobody listens to is left',
    file: wakeups,
    text: "    if (this.#connection?.status === 'ready') this.#connection.unsubscribe(name).catch(ignore);\n",
    becomes: '',
    tests: [live],
  },
  {
    guards: 'a Redis is taught a script that it does not know',
    file: 'gateway/cache/lua-script.ts',
    text: "error.message.startsWith('NOSCRIPT')",
    becomes: "error.message.startsWith('NONE')",
    tests: [faults],
  },
  {
    guards: 'what is no answer to the question is none',
    file: 'gateway/cache/redis-leases.ts',
    text: 'said === undefined || isAnswer(said)',
    becomes: 'said === undefined || said !== null',
    tests: [faults],
  },
  {
    guards: 'nobody is missed after the roll was away',
    file: gateways,
    text: 'answer === undefined || answer.isNew',
    becomes: 'answer?.isNew',
    tests: [count],
  },
  {
    guards: 'nobody is missed after the roll was emptied',
    file: gateways,
    text: 'answer === undefined || answer.isNew',
    becomes: 'answer === undefined',
    tests: [count],
  },
  {
    guards: 'those who died are forgotten',
    file: gateways,
    text: ' || nowMs >= this.#incompleteUntilMs',
    becomes: '',
    tests: [count, liveCount],
  },
  {
    guards: 'one that leaves says so',
    file: gateways,
    text: '    await this.#options.roll.leave(this.#name);\n',
    becomes: '',
    tests: [count],
  },
  {
    guards: 'one that is closed calls no more',
    file: gateways,
    text: '    if (this.#isClosed) return;\n',
    becomes: '',
    tests: [count],
  },
  {
    guards: 'gateways call at moments of their own',
    file: gateways,
    text: 'everyMs * (0.75 + rng.next() / 2)',
    becomes: 'everyMs',
    tests: [count],
  },
];
