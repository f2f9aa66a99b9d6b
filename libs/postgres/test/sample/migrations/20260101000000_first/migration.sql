CREATE TABLE "Note" (
    "id" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    CONSTRAINT "Note_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "Note_position_key" ON "Note" ("position");
