import { Module, type OnModuleDestroy } from '@nestjs/common';
import { BUS, LOGGER } from '@ragmesh/bootstrap';
import { BestEffortPublisher, type BusDriver } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { AnswerCache } from './adapters/answer-cache.js';
import { ConversationRepository } from './adapters/conversation.repository.js';
import { ConversationRetention } from './adapters/conversation-retention.js';
import { FeedbackRepository } from './adapters/feedback.repository.js';
import { LanguageModels } from './adapters/language-models.js';
import { LocalChatModels } from './adapters/local-chat-model.js';
import { UsageLedger } from './adapters/usage-ledger.js';
import { UsageRepository } from './adapters/usage.repository.js';
import { WithdrawalRepository } from './adapters/withdrawal.repository.js';
import { ConversationGrpcController } from './api/conversation.grpc-controller.js';
import { FeedbackGrpcController } from './api/feedback.grpc-controller.js';
import { GenerationGrpcController } from './api/generation.grpc-controller.js';
import { QuestionGrpcController } from './api/question.grpc-controller.js';
import { QueryWritingGrpcController } from './api/query-writing.grpc-controller.js';
import { UsageGrpcController } from './api/usage.grpc-controller.js';
import { ConversationMemory } from './commands/conversation-memory.js';
import { GenerateAnswer } from './commands/generate-answer.js';
import { ReportUsage } from './commands/report-usage.js';
import { QuestionWriter } from './commands/question-writer.js';
import { WriteQuery } from './commands/write-query.js';
import { WrittenAnswer } from './commands/written-answer.js';
import { ChargeEmbedding } from './consumers/charge-embedding.handler.js';
import { ForgetDeletedDocument } from './consumers/forget-deleted-document.handler.js';
import { ForgetRestricted } from './consumers/forget-restricted.handler.js';
import { GenerationEvents } from './publishes/generation-events.js';

const publisher = {
  provide: BestEffortPublisher,
  inject: [BUS, LOGGER],
  useFactory: (bus: BusDriver, logger: Logger) => new BestEffortPublisher('generation', bus, logger),
};

/** Composition root: sync in, async in, decisions, out. */
@Module({
  controllers: [
    ConversationGrpcController,
    FeedbackGrpcController,
    QuestionGrpcController,
    GenerationGrpcController,
    QueryWritingGrpcController,
    UsageGrpcController,
    ChargeEmbedding,
    ForgetDeletedDocument,
    ForgetRestricted,
  ],
  providers: [
    QuestionWriter,
    ConversationRepository,
    WithdrawalRepository,
    ConversationRetention,
    FeedbackRepository,
    GenerateAnswer,
    WrittenAnswer,
    ConversationMemory,
    WriteQuery,
    ReportUsage,
    LanguageModels,
    LocalChatModels,
    AnswerCache,
    UsageLedger,
    UsageRepository,
    GenerationEvents,
    publisher,
  ],
})
export class GenerationModule implements OnModuleDestroy {
  constructor(private readonly publisher: BestEffortPublisher) {}

  async onModuleDestroy(): Promise<void> {
    await this.publisher.close();
  }
}
