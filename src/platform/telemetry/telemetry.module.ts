import { Global, Module } from '@nestjs/common';
import { Exposition } from './exposition.service.js';
import { GaugeSender } from './gauge-sender.service.js';
import { Measurements } from './measurements.service.js';
import { MetricsController } from './metrics.controller.js';
import { Readings } from './readings.service.js';
import { Telemetry } from './telemetry.js';

@Global()
@Module({
  controllers: [MetricsController],
  providers: [Exposition, GaugeSender, Measurements, Readings, Telemetry],
  exports: [GaugeSender, Measurements, Readings, Telemetry],
})
export class TelemetryModule {}
