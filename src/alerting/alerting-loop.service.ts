import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RemindOfBrakes } from '../brakes/remind-of-brakes.service.js';
import { ImageCarriers } from '../imagings/image-carriers.service.js';
import { WatchLosses } from '../lost-devices/watch-losses.service.js';
import { Config } from '../platform/config/config.js';
import { ChannelsService } from './channels.service.js';
import { DatabaseAwayPage } from './database-away-page.js';
import { DeliverAlerts } from './deliver-alerts.service.js';
import { DeviceWatch } from './device-watch.service.js';
import { EngineWatch } from './engine-watch.service.js';
import { EscalationService } from './escalation.service.js';
import { KeyWatch } from './key-watch.service.js';
import { TokenWatch } from './token-watch.service.js';

/** Milliseconds. */
const DELIVER_EVERY = 500;
const WATCH_EVERY = 1_000;
const WATCH_LOSSES_EVERY = 5_000;
const ESCALATE_EVERY = 2_000;
const REMIND_EVERY = 30_000;
const LOOK_AT_DEVICES_EVERY = 60_000;
const LOOK_AT_IMAGES_EVERY = 300_000;
const RENEW_KEYS_EVERY = 60_000;
const LOOK_AT_TOKENS_EVERY = 60_000;
const FAREWELL = 3_000;

/**
 * What each process does about alerts, beside its work and never in its way: a provider that doesn't answer holds up no
 * step. Workers and API servers both do it: when all workers are gone, somebody has to tell.
 */
@Injectable()
export class AlertingLoop {
  private timers: NodeJS.Timeout[] = [];
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly db: DataSource,
    private readonly channels: ChannelsService,
    private readonly deliverAlerts: DeliverAlerts,
    private readonly escalation: EscalationService,
    private readonly watch: EngineWatch,
    private readonly brakes: RemindOfBrakes,
    private readonly losses: WatchLosses,
    private readonly keys: KeyWatch,
    private readonly tokens: TokenWatch,
    private readonly devices: DeviceWatch,
    private readonly images: ImageCarriers,
    private readonly config: Config,
  ) {}

  /** @param onError Hears what PostgreSQL refused; the next round tries again. */
  start(processName: string, onError: (error: unknown) => void): void {
    const page = new DatabaseAwayPage({
      db: this.db,
      loadChannels: () => this.channels.openInOrder(),
      processName,
      publicUrl: this.config.publicUrl,
    });
    this.timers = [
      this.keepDoing(() => this.deliverAlerts.deliverDue(), DELIVER_EVERY, onError),
      this.keepDoing(() => this.escalation.tellWhoIsNext(), ESCALATE_EVERY, onError),
      this.keepDoing(() => this.watch.look(), WATCH_EVERY, onError),
      this.keepDoing(() => this.brakes.remind(), REMIND_EVERY, onError),
      this.keepDoing(() => this.losses.look(), WATCH_LOSSES_EVERY, onError),
      this.keepDoing(() => page.look(), WATCH_EVERY, onError),
      this.keepDoing(() => this.keys.look(processName), RENEW_KEYS_EVERY, onError),
      this.keepDoing(() => this.tokens.look(), LOOK_AT_TOKENS_EVERY, onError),
      this.keepDoing(() => this.devices.look(), LOOK_AT_DEVICES_EVERY, onError),
      this.keepDoing(() => this.images.look(), LOOK_AT_IMAGES_EVERY, onError),
    ];
    void this.once(() => this.keys.look(processName), onError);
  }

  private keepDoing(work: () => Promise<unknown>, every: number, onError: (error: unknown) => void): NodeJS.Timeout {
    let busy = false;
    return setInterval(() => {
      if (busy) return;
      busy = true;
      void this.once(work, onError).then(() => (busy = false));
    }, every);
  }

  private once(work: () => Promise<unknown>, onError: (error: unknown) => void): Promise<void> {
    const round = work()
      .then(() => undefined)
      .catch(onError)
      .finally(() => this.underWay.delete(round));
    this.underWay.add(round);
    return round;
  }

  /** Begins nothing more, and waits for what is being sent, but not for long: who takes over sends it again. */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await Promise.race([
      Promise.allSettled(this.underWay),
      new Promise((resolve) => setTimeout(resolve, FAREWELL).unref()),
    ]);
  }
}
