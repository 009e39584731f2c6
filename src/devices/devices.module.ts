import { Module } from '@nestjs/common';
import { AcknowledgementLinksController } from './acknowledgements/acknowledgement-links.controller.js';
import { AcknowledgementTexts } from './acknowledgements/acknowledgement-texts.service.js';
import { AcknowledgementsController } from './acknowledgements/acknowledgements.controller.js';
import { Acknowledgements } from './acknowledgements/acknowledgements.service.js';
import { Departures } from './departures.service.js';
import { DeviceEnrolments } from './device-enrolments.service.js';
import { DeviceExceptionsController } from './device-exceptions.controller.js';
import { DeviceExceptions } from './device-exceptions.service.js';
import { DeviceModelsController } from './device-models.controller.js';
import { DeviceModelsService } from './device-models.service.js';
import { DevicesCsvController } from './devices-csv.controller.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { DeviceImportsController } from './imports/device-imports.controller.js';
import { DeviceImports } from './imports/device-imports.service.js';
import { DeviceLabelsController } from './labels/device-labels.controller.js';
import { DeviceLabels } from './labels/device-labels.service.js';
import { ReportCodesController } from './report-codes/report-codes.controller.js';
import { ReportCodes } from './report-codes/report-codes.service.js';
import { ThinObservations } from './retention/thin-observations.service.js';
import { ReturnRecords } from './returns/return-records.service.js';
import { ReturnsController } from './returns/returns.controller.js';
import { Returns } from './returns/returns.service.js';
import { Replacements } from './spares/replacements.service.js';
import { SparesController } from './spares/spares.controller.js';
import { Spares } from './spares/spares.service.js';
import { EncryptionKnowledge } from './encryption/encryption-knowledge.service.js';
import { EncryptionController } from './encryption/encryption.controller.js';
import { ObservationsService } from './observations.service.js';
import { DevicePackagesController } from './packages/device-packages.controller.js';
import { DevicePackagesService } from './packages/device-packages.service.js';

@Module({
  // Names such as `exceptions` are told from ids by whoever comes first.
  controllers: [
    EncryptionController,
    DeviceExceptionsController,
    DeviceImportsController,
    SparesController,
    DevicesController,
    DevicesCsvController,
    DeviceModelsController,
    DevicePackagesController,
    AcknowledgementsController,
    AcknowledgementLinksController,
    ReportCodesController,
    ReturnsController,
    DeviceLabelsController,
  ],
  providers: [
    DevicesService,
    DeviceModelsService,
    DeviceExceptions,
    DeviceEnrolments,
    ObservationsService,
    EncryptionKnowledge,
    ThinObservations,
    DevicePackagesService,
    Acknowledgements,
    AcknowledgementTexts,
    ReportCodes,
    ReturnRecords,
    Returns,
    DeviceLabels,
    DeviceImports,
    Spares,
    Replacements,
    Departures,
  ],
  exports: [
    DevicesService,
    DeviceModelsService,
    DeviceExceptions,
    DeviceEnrolments,
    ObservationsService,
    DevicePackagesService,
    Acknowledgements,
    ReportCodes,
    ReturnRecords,
    Spares,
    Replacements,
    Departures,
  ],
})
export class DevicesModule {}
