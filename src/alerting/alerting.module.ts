import { Module } from '@nestjs/common';
import { BrakesModule } from '../brakes/brakes.module.js';
import { CasesModule } from '../cases/cases.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { ImagingsModule } from '../imagings/imagings.module.js';
import { LostDevicesModule } from '../lost-devices/lost-devices.module.js';
import { AlertChannelsController } from './alert-channels.controller.js';
import { AlertDeliveriesReader } from './alert-deliveries-reader.service.js';
import { AlertingLoop } from './alerting-loop.service.js';
import { ChannelsService } from './channels.service.js';
import { DeliverAlerts } from './deliver-alerts.service.js';
import { DeviceWatch } from './device-watch.service.js';
import { DeliveryReadings } from './delivery-readings.service.js';
import { EngineWatch } from './engine-watch.service.js';
import { EscalationController } from './escalation.controller.js';
import { EscalationService } from './escalation.service.js';
import { KeyWatch } from './key-watch.service.js';
import { PolicyAlarm } from './policy-alarm.service.js';
import { PublicationReadings } from './publication-readings.service.js';
import { PublishAuditLog } from './publish-audit-log.service.js';
import { SpareReadings } from './spare-readings.service.js';
import { SealAuditLog } from './seal-audit-log.service.js';
import { TokenWatch } from './token-watch.service.js';

@Module({
  imports: [CasesModule, BrakesModule, DevicesModule, ImagingsModule, LostDevicesModule],
  controllers: [AlertChannelsController, EscalationController],
  providers: [
    AlertDeliveriesReader,
    AlertingLoop,
    ChannelsService,
    DeliverAlerts,
    DeliveryReadings,
    DeviceWatch,
    EngineWatch,
    EscalationService,
    KeyWatch,
    PolicyAlarm,
    PublicationReadings,
    PublishAuditLog,
    SealAuditLog,
    TokenWatch,
    SpareReadings,
  ],
})
export class AlertingModule {}
