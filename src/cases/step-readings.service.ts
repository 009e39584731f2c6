import { Injectable } from '@nestjs/common';
import { Readings, type Reading, type ReadingSource } from '../platform/telemetry/readings.service.js';
import { EngineHealth } from './engine-health.service.js';

/** How many steps there are: the one level that costs more, the more there are. */
@Injectable()
export class StepReadings implements ReadingSource {
  readonly of = 'steps';
  readonly shows = { quartermaster_steps: 'Steps that are not over, by lane, state and tool.' };

  constructor(
    private readonly health: EngineHealth,
    readings: Readings,
  ) {
    readings.add(this);
  }

  async read(): Promise<Reading[]> {
    const counts = await this.health.unfinishedSteps();
    return counts.map(({ lane, state, tool, steps }) => ({
      name: 'quartermaster_steps',
      labels: { lane, state, tool },
      value: steps,
    }));
  }
}
