import { Injectable } from '@nestjs/common';
import { Readings, type Reading, type ReadingSource } from '../platform/telemetry/readings.service.js';
import { EngineHealth, type OldestDue } from './engine-health.service.js';
import { LANES } from './step-states.js';

/** The engine's levels for metrics, but for the count of steps, which costs more (`step-readings`). */
@Injectable()
export class EngineReadings implements ReadingSource {
  readonly of = 'engine';
  readonly shows = {
    quartermaster_oldest_due_step_age_seconds:
      'How long the oldest due step has waited, by lane; apart, that of tools that are paused.',
    quartermaster_tool_state: '1 for the state that a tool is in: active or paused.',
    quartermaster_workers: 'Workers that are present, by lane.',
    quartermaster_alerts_open: 'Alerts that are not over, by kind and severity.',
  };

  constructor(
    private readonly health: EngineHealth,
    readings: Readings,
  ) {
    readings.add(this);
  }

  async read(): Promise<Reading[]> {
    const oldest = await this.health.oldestDue();
    const workers = await this.health.workersByLane();
    const tools = await this.health.toolStates();
    const alerts = await this.health.openAlerts();
    return [
      ...LANES.flatMap((lane) =>
        [false, true].map((paused) =>
          reading(
            'oldest_due_step_age_seconds',
            { lane, tool_state: paused ? 'paused' : 'active' },
            oldestOf(
              oldest.filter((one) => one.lane === lane),
              paused,
            ),
          ),
        ),
      ),
      ...tools.flatMap(({ tool, state }) =>
        (['active', 'paused'] as const).map((one) =>
          reading('tool_state', { tool, state: one }, one === state ? 1 : 0),
        ),
      ),
      ...[...workers].map(([lane, value]) => reading('workers', { lane }, value)),
      ...alerts.map(({ kind, severity, alerts: value }) => reading('alerts_open', { kind, severity }, value)),
    ];
  }
}

function oldestOf(due: readonly OldestDue[], paused: boolean): number {
  return Math.max(0, ...due.filter(({ toolPaused }) => toolPaused === paused).map(({ age }) => age));
}

function reading(name: string, labels: Record<string, string>, value: number): Reading {
  return { name: `quartermaster_${name}`, labels, value };
}
