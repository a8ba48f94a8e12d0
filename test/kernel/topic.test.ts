import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Topic } from '../../gateway/kernel/topic.ts';

it('a topic tells every fact to every subscriber at once, in the order they subscribed', () => {
  const topic = new Topic<number>();
  const told: string[] = [];
  topic.publish(0);
  topic.subscribe((fact) => told.push(`a${fact}`));
  topic.subscribe((fact) => told.push(`b${fact}`));
  topic.publish(1);
  topic.publish(2);
  assert.deepEqual(told, ['a1', 'b1', 'a2', 'b2']);
});

it('whoever subscribed can undo it, also while a fact is told, and only its own', () => {
  const topic = new Topic<number>();
  const told: string[] = [];
  const twice = (fact: number): void => {
    told.push(`a${fact}`);
  };
  const undo = topic.subscribe(twice);
  topic.subscribe(twice);
  topic.subscribe((fact) => {
    undo();
    told.push(`b${fact}`);
  });
  topic.publish(1);
  topic.publish(2);
  assert.deepEqual(told, ['a1', 'a1', 'b1', 'a2', 'b2']);
});
