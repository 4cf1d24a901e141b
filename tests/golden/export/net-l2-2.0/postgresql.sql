CREATE TABLE "net_l2_Network" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "description" varchar(256) COLLATE "C",
  "vni" bigint,
  "mtu" bigint NOT NULL,
  "subnets" text COLLATE "C" NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l2_Network_87acbead08" PRIMARY KEY ("id")
);
CREATE TABLE "net_l2_Port" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "mac_address" varchar(64) COLLATE "C",
  "admin_state_up" boolean NOT NULL,
  "status" varchar(32) COLLATE "C" NOT NULL,
  "vnic_type" varchar(32) COLLATE "C" NOT NULL,
  "mtu" bigint NOT NULL,
  "vlan_transparency" boolean NOT NULL,
  "profile" text COLLATE "C",
  "device_id" varchar(255) COLLATE "C",
  "device_owner" varchar(128) COLLATE "C",
  "host_id" varchar(255) COLLATE "C",
  "vif_type" varchar(64) COLLATE "C",
  "vif_details" text COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l2_Port_6db65f01c0" PRIMARY KEY ("id")
);
CREATE TABLE "net_l2_Interface" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "port_id" varchar(64) COLLATE "C" NOT NULL,
  "segmentation_type" varchar(32) COLLATE "C" NOT NULL,
  "segmentation_id" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l2_Interface_23f7e11b11" PRIMARY KEY ("id")
);
CREATE TABLE "net_l2_Attachment" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "interface_id" varchar(64) COLLATE "C" NOT NULL,
  "service_id" varchar(64) COLLATE "C" NOT NULL,
  "ip_address" varchar(64) COLLATE "C",
  "more_addresses" text COLLATE "C" NOT NULL,
  "shared_addresses" text COLLATE "C" NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_net_l2_Attachment_2de91dd05b" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "uq_net_l2_Network_156c218560" ON "net_l2_Network" ("vni");
CREATE INDEX "ix_net_l2_Network_f855f77a37" ON "net_l2_Network" ("_project", "id");
CREATE INDEX "ix_net_l2_Network_77741ac4bc" ON "net_l2_Network" ("name" NULLS FIRST, "id");
CREATE INDEX "ix_net_l2_Port_699804b0c7" ON "net_l2_Port" ("_project", "id");
CREATE INDEX "ix_net_l2_Port_95106d9db7" ON "net_l2_Port" ("name" NULLS FIRST, "id");
CREATE INDEX "ix_net_l2_Interface_f1281049a4" ON "net_l2_Interface" ("port_id");
CREATE INDEX "ix_net_l2_Interface_5d258d6d0b" ON "net_l2_Interface" ("_project", "id");
CREATE INDEX "ix_net_l2_Interface_51f02b3fe2" ON "net_l2_Interface" ("name" NULLS FIRST, "id");
ALTER TABLE "net_l2_Interface" ADD CONSTRAINT "fk_net_l2_Interface_f1281049a4" FOREIGN KEY ("port_id") REFERENCES "net_l2_Port" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX "uq_net_l2_Attachment_7f9afcec79" ON "net_l2_Attachment" ("interface_id", "service_id");
CREATE INDEX "ix_net_l2_Attachment_a9b2d32eec" ON "net_l2_Attachment" ("service_id");
CREATE INDEX "ix_net_l2_Attachment_2e36c53272" ON "net_l2_Attachment" ("_project", "id");
ALTER TABLE "net_l2_Attachment" ADD CONSTRAINT "fk_net_l2_Attachment_2f1123b82d" FOREIGN KEY ("interface_id") REFERENCES "net_l2_Interface" ("id") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "net_l2_Attachment" ADD CONSTRAINT "fk_net_l2_Attachment_a9b2d32eec" FOREIGN KEY ("service_id") REFERENCES "net_l2_Network" ("id") DEFERRABLE INITIALLY DEFERRED;
