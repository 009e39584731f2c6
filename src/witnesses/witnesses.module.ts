import { Module } from '@nestjs/common';
import { CasesModule } from '../cases/cases.module.js';
import { AskWitnesses } from './ask-witnesses.service.js';
import { WitnessReadings } from './witness-readings.service.js';
import { WitnessesController } from './witnesses.controller.js';
import { WitnessesService } from './witnesses.service.js';

@Module({
  imports: [CasesModule],
  controllers: [WitnessesController],
  providers: [AskWitnesses, WitnessReadings, WitnessesService],
})
export class WitnessesModule {}
