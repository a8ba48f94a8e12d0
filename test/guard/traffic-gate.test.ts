import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fleet } from '../../gateway/guard/fleet.ts';
import type { Evidence, Permit } from '../../gateway/guard/gate.ts';
import { TrafficGate } from '../../gateway/guard/traffic-gate.ts';
import type { GateRules } from '../../gateway/guard/trip-rules.ts';
import { defaultRules, newTime } from '../support/gates.ts';

/** Gates of one fleet, of which the first is looked at. */
class Gates {
  readonly time: ReturnType<typeof newTime>;
  readonly fleet = new Fleet();
  readonly all: readonly TrafficGate[];
  readonly gate: TrafficGate;
  readonly told: string[] = [];

  constructor({ size = 2, seed = 1, rules = {} }: { size?: number; seed?: number; rules?: Partial<GateRules> } = {}) {
    this.time = newTime(seed);
    const whole = { ...defaultRules, ...rules };
    this.all = Array.from({ length: size }, () => {
      const gate = new TrafficGate({ rules: whole, ...this.time });
      gate.obey(whole, this.fleet);
      return gate;
    });
    this.gate = this.all[0] ?? assert.fail();
    this.gate.changed.subscribe(({ state }) => this.told.push(state));
  }

  enter(gate = this.gate): Permit {
    return gate.enter() ?? assert.fail('the gate lets nothing pass');
  }

  /** Lets some requests pass one after the other, each with its outcome. */
  settle(evidence: Evidence, times = 1, gate = this.gate): void {
    for (let n = 0; n < times; n++) this.enter(gate).settle(evidence);
  }

  /** The ejection ends by itself; how long it lasted by its own word. */
  async untilProbing(): Promise<number> {
    const { sinceMs, untilMs } = this.gate.story;
    assert.equal(this.gate.state, 'ejected');
    assert.ok(untilMs !== null);
    await this.time.clock.runUntil(untilMs + 10);
    assert.equal(this.gate.state, 'probing');
    return untilMs - sinceMs;
  }
}

describe('a passing gate', () => {
  it('lets any number pass at once, and ejects at the fifth failure in a row', () => {
    const gates = new Gates();
    const permits = Array.from({ length: 100 }, () => gates.enter());
    for (const permit of permits.slice(0, 4)) permit.settle('failure');
    assert.equal(gates.gate.state, 'passing');
    permits[4]?.settle('failure');
    assert.deepEqual(
      [gates.gate.state, gates.gate.cause, gates.gate.story.reason],
      ['ejected', 'outlier', '5 failures in a row'],
    );
    assert.deepEqual([gates.gate.admits, gates.gate.enter()], [false, null]);
    for (const permit of permits.slice(5)) permit.settle('success');
    assert.equal(gates.gate.state, 'ejected', 'what was sent before changes nothing');
    assert.deepEqual(gates.told, ['ejected']);
  });

  it('begins to count failures anew with every answer, also one that is the client’s fault', () => {
    for (const answer of ['success', 'client_error'] as const) {
      const gates = new Gates({ rules: { minRequests: 1000 } });
      for (let n = 0; n < 10; n++) {
        gates.settle('failure', 4);
        gates.settle(answer);
      }
      assert.equal(gates.gate.state, 'passing');
    }
  });

  it('goes on counting over what says nothing', () => {
    const gates = new Gates();
    gates.settle('failure', 4);
    gates.settle('none', 100);
    assert.equal(gates.gate.state, 'passing');
    gates.settle('failure');
    assert.equal(gates.gate.state, 'ejected');
  });

  it('ejects by the share of failures in the window, and forgets those that have left it', async () => {
    const gates = new Gates();
    const mixed = (): void => {
      gates.settle('failure', 2);
      gates.settle('success', 3);
    };
    mixed();
    await gates.time.clock.runUntil(defaultRules.windowMs);
    mixed();
    assert.equal(gates.gate.state, 'passing');
    mixed();
    assert.equal(gates.gate.state, 'passing', 'it is looked at after failures');
    gates.settle('failure');
    assert.equal(gates.gate.story.reason, '5 of 11 requests failed within 10000 ms');
  });

  it('takes failures in a row for unreachable only where in none of them anything was sent', () => {
    const gates = new Gates();
    gates.settle('failure');
    gates.settle('unreachable', 4);
    assert.equal(gates.gate.cause, 'outlier');
    const others = new Gates();
    others.settle('unreachable', 5);
    assert.equal(others.gate.cause, 'unreachable');
  });

  it('ejects at once where the gateway’s credential is not accepted', () => {
    const gates = new Gates();
    gates.settle('credential');
    assert.deepEqual([gates.gate.state, gates.gate.cause], ['ejected', 'credential']);
  });

  it('ejects for errors of clients that its siblings do not have', () => {
    const gates = new Gates();
    const sibling = gates.all[1] ?? assert.fail();
    gates.settle('client_error', 40);
    assert.equal(gates.gate.state, 'passing', 'there is nothing to compare with');
    gates.settle('success', 20, sibling);
    gates.settle('client_error');
    assert.deepEqual([gates.gate.state, gates.gate.cause], ['ejected', 'client_errors']);
  });

  it('ejects nobody for errors that come to all alike', () => {
    const gates = new Gates({ size: 3 });
    for (let n = 0; n < 300; n++)
      gates.settle(n % 5 === 4 ? 'success' : 'client_error', 1, gates.all[n % gates.all.length]);
    assert.ok(gates.all.every(({ state }) => state === 'passing'));
  });

  it('stays so, whatever it counts, while half of its fleet is out', () => {
    const gates = new Gates({ size: 4 });
    for (const gate of gates.all.slice(2)) gates.settle('failure', 5, gate);
    gates.settle('failure', 50);
    assert.deepEqual(
      gates.all.map(({ state }) => state),
      ['passing', 'passing', 'ejected', 'ejected'],
    );
    gates.all[3]?.readmit('as the test says');
    gates.settle('failure');
    assert.equal(gates.gate.state, 'ejected', 'its turn has come');
  });

  it('of the only replica there is ejects only where nothing can be sent to it', () => {
    const gates = new Gates({ size: 1 });
    gates.settle('failure', 50);
    gates.settle('credential', 5);
    assert.equal(gates.gate.state, 'passing');
    gates.settle('success');
    gates.settle('unreachable', 3);
    assert.deepEqual([gates.gate.state, gates.gate.cause], ['ejected', 'unreachable']);
  });

  it('of the only replica there is ejects where nothing can be sent to it, also after it broke off in the middle of something', () => {
    const gates = new Gates({ size: 1, rules: { minRequests: 1000 } });
    gates.settle('failure');
    gates.settle('unreachable', 4);
    assert.equal(gates.gate.state, 'passing');
    gates.settle('unreachable');
    assert.deepEqual([gates.gate.state, gates.gate.cause], ['ejected', 'unreachable']);
  });
});

describe('an ejection', () => {
  it('lasts between half and the whole of its time, which doubles while it follows soon, up to the most', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const gates = new Gates({ seed, rules: { ejectMs: 1000, ejectMaxMs: 5000 } });
      gates.settle('failure', 5);
      for (const wholeMs of [1000, 2000, 4000, 5000, 5000]) {
        const lastedMs = await gates.untilProbing();
        assert.ok(lastedMs >= wholeMs / 2 && lastedMs <= wholeMs, `${lastedMs} of ${wholeMs} ms, seed ${seed}`);
        gates.settle('failure');
      }
    }
  });

  it('does not last the same in several gateways', async () => {
    const lasted = await Promise.all(
      Array.from({ length: 20 }, (_, seed) => {
        const gates = new Gates({ seed });
        gates.settle('failure', 5);
        return gates.untilProbing();
      }),
    );
    assert.ok(new Set(lasted.map(Math.round)).size > 15);
  });

  it('lasts twice as long when it follows soon after the one before, and as the first after a good while', async () => {
    for (const [passedMs, wholeMs] of [
      [1000, 2000],
      [defaultRules.windowMs + 1001, 1000],
    ] as const) {
      const gates = new Gates({ rules: { ejectMs: 1000 } });
      gates.settle('failure', 5);
      await gates.untilProbing();
      gates.settle('success');
      await gates.time.clock.runUntil(gates.time.clock.nowMs() + passedMs);
      gates.settle('failure', 5);
      const { sinceMs, untilMs } = gates.gate.story;
      const lastsMs = (untilMs ?? 0) - sinceMs;
      assert.ok(lastsMs >= wholeMs / 2 && lastsMs <= wholeMs, `${lastsMs} of ${wholeMs}`);
    }
  });
});

describe('a probing gate', () => {
  async function probing(evidence: Evidence = 'failure', size = 2): Promise<Gates> {
    const gates = new Gates({ size });
    if (evidence === 'client_error') gates.settle('success', 20, gates.all[1]);
    gates.settle(evidence, evidence === 'client_error' ? 20 : 5 - 4 * Number(evidence === 'credential'));
    await gates.untilProbing();
    gates.told.length = 0;
    return gates;
  }

  it('lets one request pass, and nobody else before its outcome is known', async () => {
    const gates = await probing();
    assert.equal(gates.gate.admits, true);
    const probe = gates.enter();
    assert.deepEqual([gates.gate.admits, gates.gate.enter()], [false, null]);
    probe.settle('success');
    assert.deepEqual([gates.gate.state, gates.gate.cause], ['passing', null]);
    gates.enter();
    gates.enter();
  });

  it('is ejected again by a probe that fails, whatever was held against it before', async () => {
    for (const before of ['failure', 'unreachable', 'client_error', 'credential'] as const)
      for (const evidence of ['failure', 'unreachable', 'credential'] as const) {
        const gates = await probing(before);
        gates.settle(evidence);
        assert.equal(gates.gate.state, 'ejected', `${before}, then ${evidence}`);
      }
  });

  it('is held back for what its last probe found', async () => {
    const causes = { failure: 'outlier', unreachable: 'unreachable', credential: 'credential' } as const;
    for (const [evidence, cause] of Object.entries(causes) as [keyof typeof causes, string][]) {
      const gates = await probing('failure');
      gates.settle(evidence);
      assert.equal(gates.gate.cause, cause);
    }
  });

  it('passes on an error of a client, unless it was such errors that it was ejected for', async () => {
    for (const [before, state] of [
      ['failure', 'passing'],
      ['client_error', 'ejected'],
    ] as const) {
      const gates = await probing(before);
      gates.settle('client_error');
      assert.equal(gates.gate.state, state);
    }
  });

  it('gets its permit back, and says so, when nothing came of the probe', async () => {
    const gates = await probing();
    for (let n = 0; n < 3; n++) {
      gates.settle('none');
      assert.deepEqual([gates.gate.state, gates.gate.admits], ['probing', true]);
    }
    assert.deepEqual(gates.told, ['probing', 'probing', 'probing']);
  });

  it('of the only replica there is passes on any answer: it can be sent to', async () => {
    for (const [evidence, state] of [
      ['failure', 'passing'],
      ['credential', 'passing'],
      ['unreachable', 'ejected'],
    ] as const) {
      const gates = await probing('unreachable', 1);
      gates.settle(evidence);
      assert.equal(gates.gate.state, state, evidence);
    }
  });

  it('says why it came to be one, in as few words after many failed probes as after the first', async () => {
    const gates = await probing();
    gates.settle('failure');
    const { reason } = gates.gate.story;
    assert.equal(reason, 'its probe failed; before, 5 failures in a row');
    for (let n = 0; n < 5; n++) {
      await gates.untilProbing();
      gates.settle('failure');
    }
    assert.equal(gates.gate.story.reason, reason);
  });

  it('counts from nothing once it passes again', async () => {
    const gates = await probing();
    gates.settle('success');
    assert.deepEqual(gates.gate.counts(), { succeeded: 0, clientErrors: 0, failed: 0 });
    gates.settle('failure', 4);
    assert.equal(gates.gate.state, 'passing');
  });
});

describe('an operator', () => {
  it('ejects for good, whatever runs and however long it lasts, and readmits', async () => {
    const gates = new Gates({ size: 1 });
    const permit = gates.enter();
    gates.gate.eject();
    assert.deepEqual([gates.gate.state, gates.gate.cause, gates.gate.story.untilMs], ['ejected', 'operator', null]);
    permit.settle('success');
    await gates.time.clock.runUntil(1e9);
    assert.equal(gates.gate.state, 'ejected');
    gates.gate.readmit('readmitted by an operator');
    assert.deepEqual([gates.gate.state, gates.gate.story.reason], ['passing', 'readmitted by an operator']);
  });

  it('ejects also what is ejected or being probed, and the end of that ejection changes nothing', async () => {
    const gates = new Gates();
    gates.settle('failure', 5);
    gates.gate.eject();
    assert.equal(gates.time.wheel.armedCount, 0);
    gates.gate.readmit('so');
    gates.settle('failure', 5);
    await gates.untilProbing();
    const probe = gates.enter();
    gates.gate.eject();
    probe.settle('success');
    assert.equal(gates.gate.state, 'ejected');
  });

  it('who readmits lets everything begin anew, also where the gate is passing', async () => {
    const gates = new Gates({ rules: { ejectMs: 1000 } });
    for (let n = 0; n < 3; n++) {
      gates.settle('failure', 5);
      await gates.untilProbing();
      gates.settle('success');
    }
    const late = Array.from({ length: 5 }, () => gates.enter());
    gates.settle('failure', 3);
    gates.settle('success');
    gates.gate.readmit('its process is a new one');
    assert.deepEqual(gates.gate.counts(), { succeeded: 0, clientErrors: 0, failed: 0 });
    for (const permit of late) permit.settle('failure');
    assert.equal(gates.gate.state, 'passing', 'what the one before was sent is not held against it');
    gates.settle('failure', 5);
    const { sinceMs, untilMs } = gates.gate.story;
    assert.ok((untilMs ?? 0) - sinceMs <= 1000, 'its next ejection is its first');
  });
});

describe('a gate that goes by other rules', () => {
  const others: GateRules = { ...defaultRules, consecutiveFailures: 2, windowMs: 5000 };

  it('keeps where it stands, until when, and what it has in a row', async () => {
    const gates = new Gates();
    gates.settle('failure');
    gates.gate.obey(others, gates.fleet);
    assert.equal(gates.gate.state, 'passing');
    gates.settle('failure');
    const { story } = gates.gate;
    assert.equal(gates.gate.state, 'ejected');
    gates.gate.obey(defaultRules, gates.fleet);
    assert.deepEqual([gates.gate.state, gates.gate.story, gates.gate.isOut], ['ejected', story, true]);
    await gates.untilProbing();
    const probe = gates.enter();
    gates.gate.obey(others, gates.fleet);
    assert.equal(gates.gate.enter(), null);
    probe.settle('success');
    assert.equal(gates.gate.state, 'passing');
  });

  it('is counted among its new siblings, and no more among the old', () => {
    const gates = new Gates({ size: 2 });
    const fleet = new Fleet();
    gates.gate.obey(defaultRules, fleet);
    gates.settle('failure', 50);
    assert.equal(gates.gate.state, 'passing', 'the only one of its new fleet');
    gates.settle('failure', 50, gates.all[1]);
    assert.equal(gates.all[1]?.state, 'passing', 'the only one that is left of the old');
  });
});

it('a gate that is closed leaves no alarm, and its siblings alone', () => {
  const gates = new Gates({ size: 2 });
  gates.settle('failure', 5);
  gates.gate.close();
  assert.equal(gates.time.wheel.armedCount, 0);
  assert.equal(gates.fleet.mayEject('outlier'), false, 'one is left');
});
