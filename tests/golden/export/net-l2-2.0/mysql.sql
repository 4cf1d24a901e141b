SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');
CREATE TABLE "net_l2_Network" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "description" mediumtext,
  "vni" bigint,
  "mtu" bigint NOT NULL,
  "subnets" longtext NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Network_87acbead08" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l2_Port" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "mac_address" varchar(64),
  "admin_state_up" boolean NOT NULL,
  "status" varchar(32) NOT NULL,
  "vnic_type" varchar(32) NOT NULL,
  "mtu" bigint NOT NULL,
  "vlan_transparency" boolean NOT NULL,
  "profile" longtext,
  "device_id" mediumtext,
  "device_owner" varchar(128),
  "host_id" mediumtext,
  "vif_type" varchar(64),
  "vif_details" longtext,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Port_6db65f01c0" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l2_Interface" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "port_id" varchar(64) NOT NULL,
  "segmentation_type" varchar(32) NOT NULL,
  "segmentation_id" bigint NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Interface_23f7e11b11" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "net_l2_Attachment" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "interface_id" varchar(64) NOT NULL,
  "service_id" varchar(64) NOT NULL,
  "ip_address" varchar(64),
  "more_addresses" longtext NOT NULL,
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_net_l2_Attachment_2de91dd05b" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE UNIQUE INDEX "uq_net_l2_Network_156c218560" ON "net_l2_Network" ("vni");
CREATE INDEX "ix_net_l2_Network_f855f77a37" ON "net_l2_Network" ("_project", "id");
CREATE INDEX "ix_net_l2_Network_77741ac4bc" ON "net_l2_Network" ("name", "id");
CREATE INDEX "ix_net_l2_Port_699804b0c7" ON "net_l2_Port" ("_project", "id");
CREATE INDEX "ix_net_l2_Port_95106d9db7" ON "net_l2_Port" ("name", "id");
CREATE INDEX "ix_net_l2_Interface_f1281049a4" ON "net_l2_Interface" ("port_id");
CREATE INDEX "ix_net_l2_Interface_5d258d6d0b" ON "net_l2_Interface" ("_project", "id");
CREATE INDEX "ix_net_l2_Interface_51f02b3fe2" ON "net_l2_Interface" ("name", "id");
ALTER TABLE "net_l2_Interface" ADD CONSTRAINT "fk_net_l2_Interface_f1281049a4" FOREIGN KEY ("port_id") REFERENCES "net_l2_Port" ("id");
CREATE UNIQUE INDEX "uq_net_l2_Attachment_7f9afcec79" ON "net_l2_Attachment" ("interface_id", "service_id");
CREATE INDEX "ix_net_l2_Attachment_2f1123b82d" ON "net_l2_Attachment" ("interface_id");
CREATE INDEX "ix_net_l2_Attachment_a9b2d32eec" ON "net_l2_Attachment" ("service_id");
CREATE INDEX "ix_net_l2_Attachment_2e36c53272" ON "net_l2_Attachment" ("_project", "id");
ALTER TABLE "net_l2_Attachment" ADD CONSTRAINT "fk_net_l2_Attachment_2f1123b82d" FOREIGN KEY ("interface_id") REFERENCES "net_l2_Interface" ("id");
ALTER TABLE "net_l2_Attachment" ADD CONSTRAINT "fk_net_l2_Attachment_a9b2d32eec" FOREIGN KEY ("service_id") REFERENCES "net_l2_Network" ("id");
