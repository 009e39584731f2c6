import { comesBack } from './comes-back.js';
import { joins } from './joins.js';
import { leaves } from './leaves.js';
import { losesLaptop } from './loses-laptop.js';
import type { Stage } from './stage.js';

/** Somebody joins, loses a laptop, gets another one and leaves. @throws {NotProved} at the first claim that isn't so */
export async function playStory(stage: Stage): Promise<void> {
  const colleague = await joins(stage);
  const loss = await losesLaptop(stage, colleague);
  const equippedAgain = await comesBack(stage, colleague, loss);
  await leaves(stage, equippedAgain);
}
