import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelRevisions, revisionsOf, untold } from '../../gateway/balance/model-revisions.ts';
import type { Standing } from '../../gateway/balance/replica-state.ts';

interface Said {
  readonly standing?: Standing;
  readonly says?: string;
}

/** Revisions that say what the test gives for a model, after it has been asked. */
function saying(says: Readonly<Record<string, string | null>> = {}) {
  const asked: string[] = [];
  const revisions = new ModelRevisions();
  revisions.ask = async (model) => {
    asked.push(model);
    return says[model] ?? null;
  };
  return { revisions, asked };
}

/** Replicas that have been asked about the model `m`, and what they said. */
async function replicas(...all: readonly Said[]) {
  const asking = all.map(async ({ standing = 'ready', says = null }) => {
    const { revisions } = saying({ m: says });
    await revisions.meet('m');
    return { state: { revisions, standing } };
  });
  return Promise.all(asking);
}

describe('what a replica says of its models', () => {
  it('is asked for from when it is first wanted, and not known until it is said', async () => {
    const { revisions, asked } = saying({ m: 'a' });
    await revisions.refresh();
    assert.equal(revisions.of('m'), null);
    assert.deepEqual(asked, []);
    await revisions.refresh();
    assert.deepEqual([revisions.of('m'), asked], ['a', ['m']]);
  });

  it('is asked for once where many want it first, and they can wait for that', async () => {
    const { revisions, asked } = saying({ m: 'a' });
    const waiting = [revisions.meet('m'), revisions.meet('m')];
    assert.ok(!waiting.includes(null));
    await Promise.all(waiting);
    assert.deepEqual([revisions.of('m'), revisions.meet('m'), asked], ['a', null, ['m']]);
  });

  it('is waited for no longer where it could not be asked, and asked for again with the others', async () => {
    const { revisions, asked } = saying();
    await revisions.meet('m');
    assert.deepEqual([revisions.of('m'), revisions.meet('m'), asked], [null, null, ['m']]);
    await revisions.refresh();
    assert.deepEqual(asked, ['m', 'm']);
  });

  it('stays what it last was where it can no longer be asked, and is what is last said', async () => {
    const { revisions } = saying({ m: 'a' });
    await revisions.meet('m');
    revisions.ask = async () => null;
    await revisions.refresh();
    assert.equal(revisions.of('m'), 'a');
    revisions.ask = async () => '';
    await revisions.refresh();
    assert.equal(revisions.of('m'), '');
  });

  it('is bounded: what was wanted first is forgotten, and asked for again', async () => {
    const { revisions, asked } = saying(Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`m${n}`, 'a'])));
    for (let n = 0; n <= 100; n++) await revisions.meet(`m${n}`);
    await revisions.refresh();
    assert.equal(asked.length, 201);
    assert.equal(revisions.of('m100'), 'a');
    assert.equal(revisions.of('m0'), null);
    assert.notEqual(revisions.meet('m0'), null);
  });
});

describe('what the replicas of a backend say together', () => {
  const unsaid = revisionsOf([]).of('m');

  const cases: readonly [claim: string, all: readonly Said[], revision: string][] = [
    ['is what all of them say', [{ says: 'a' }, { says: 'a' }], 'a'],
    ['is all that any of them says, in whatever order', [{ says: 'b' }, { says: 'a' }, { says: 'b' }], 'a,b'],
    ['is what is known, and that one which gets requests has not said it', [{ says: '' }, {}], `,${unsaid}`],
    [
      'is known without those that get none and never said it',
      [{ says: 'a' }, { standing: 'starting' }, { standing: 'unready' }],
      'a',
    ],
    [
      'goes on when they are away, by what they last said',
      [
        { says: 'a', standing: 'unready' },
        { says: 'b', standing: 'unready' },
      ],
      'a,b',
    ],
    ['is nothing where they tell nothing', [{ says: '' }, { says: '' }], ''],
    ['is another thing where only some tell nothing', [{ says: '' }, { says: 'a' }], ',a'],
    ['is that nothing was said where there are none that have', [{ standing: 'starting' }], unsaid],
  ];
  for (const [claim, all, revision] of cases) {
    it(claim, async () => assert.equal(revisionsOf(await replicas(...all)).of('m'), revision));
  }

  it('is no text that another process might have, before they have said it', () => {
    assert.match(unsaid, /^[\w-]{16,}$/);
  });

  it('is asked, for the first time, of each that gets requests', async () => {
    const all = [saying({ m: 'a' }), saying({ m: 'a' }), saying({ m: 'a' })];
    const standings: readonly Standing[] = ['ready', 'unready', 'ready'];
    const together = revisionsOf(
      all.map(({ revisions }, at) => ({ state: { revisions, standing: standings[at] ?? 'ready' } })),
    );
    await together.meet('m');
    assert.deepEqual(
      all.map(({ asked }) => asked),
      [['m'], [], ['m']],
    );
    assert.deepEqual([together.of('m'), together.meet('m')], ['a', null]);
  });

  it('is nothing where nobody is asked', () => {
    assert.deepEqual([untold.of('m'), untold.meet('m')], ['', null]);
  });
});
