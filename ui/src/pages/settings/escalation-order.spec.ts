import { expect, it } from 'vitest';
import { movedUp, replaced, without } from './escalation-order.js';

it('changes one place of the list, and leaves the others in their order', () => {
  const list = ['Ada', 'Bo', 'Cleo'];
  expect(movedUp(list, 2)).toEqual(['Ada', 'Cleo', 'Bo']);
  expect(movedUp(list, 0)).toEqual(list);
  expect(without(list, 1)).toEqual(['Ada', 'Cleo']);
  expect(replaced(list, 1, 'Dan')).toEqual(['Ada', 'Dan', 'Cleo']);
  expect(replaced(list, 3, 'Dan')).toEqual(['Ada', 'Bo', 'Cleo', 'Dan']);
  expect(list).toEqual(['Ada', 'Bo', 'Cleo']);
});
