CREATE TABLE "net_l2_Network" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "description" VARCHAR(256),
  "vni" BIGINT,
  "mtu" BIGINT NOT NULL,
  "subnets" TEXT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Network_87acbead08" PRIMARY KEY ("id")
);
CREATE TABLE "net_l2_Port" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "mac_address" VARCHAR(64),
  "admin_state_up" BOOLEAN NOT NULL,
  "status" VARCHAR(32) NOT NULL,
  "vnic_type" VARCHAR(32) NOT NULL,
  "mtu" BIGINT NOT NULL,
  "vlan_transparency" BOOLEAN NOT NULL,
  "profile" TEXT,
  "device_id" VARCHAR(255),
  "device_owner" VARCHAR(128),
  "host_id" VARCHAR(255),
  "vif_type" VARCHAR(64),
  "vif_details" TEXT,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Port_6db65f01c0" PRIMARY KEY ("id")
);
CREATE TABLE "net_l2_Interface" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "port_id" VARCHAR(64) NOT NULL REFERENCES "net_l2_Port" ("id") DEFERRABLE INITIALLY DEFERRED,
  "segmentation_type" VARCHAR(32) NOT NULL,
  "segmentation_id" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Interface_23f7e11b11" PRIMARY KEY ("id")
);
CREATE TABLE "net_l2_Attachment" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "interface_id" VARCHAR(64) NOT NULL REFERENCES "net_l2_Interface" ("id") DEFERRABLE INITIALLY DEFERRED,
  "service_id" VARCHAR(64) NOT NULL REFERENCES "net_l2_Network" ("id") DEFERRABLE INITIALLY DEFERRED,
  "ip_address" VARCHAR(64),
  "more_addresses" TEXT NOT NULL,
  "shared_addresses" TEXT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Attachment_2de91dd05b" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "uq_net_l2_Network_156c218560" ON "net_l2_Network" ("vni");
CREATE INDEX "ix_net_l2_Network_f855f77a37" ON "net_l2_Network" ("_project", "id");
CREATE INDEX "ix_net_l2_Network_77741ac4bc" ON "net_l2_Network" ("name", "id");
CREATE INDEX "ix_net_l2_Port_699804b0c7" ON "net_l2_Port" ("_project", "id");
CREATE INDEX "ix_net_l2_Port_95106d9db7" ON "net_l2_Port" ("name", "id");
CREATE INDEX "ix_net_l2_Interface_f1281049a4" ON "net_l2_Interface" ("port_id");
CREATE INDEX "ix_net_l2_Interface_5d258d6d0b" ON "net_l2_Interface" ("_project", "id");
CREATE INDEX "ix_net_l2_Interface_51f02b3fe2" ON "net_l2_Interface" ("name", "id");
CREATE UNIQUE INDEX "uq_net_l2_Attachment_7f9afcec79" ON "net_l2_Attachment" ("interface_id", "service_id");
CREATE INDEX "ix_net_l2_Attachment_a9b2d32eec" ON "net_l2_Attachment" ("service_id");
CREATE INDEX "ix_net_l2_Attachment_2e36c53272" ON "net_l2_Attachment" ("_project", "id");
