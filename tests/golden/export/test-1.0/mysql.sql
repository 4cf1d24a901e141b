SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES');
CREATE TABLE "test_Port" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "mac_address" varchar(18) NOT NULL,
  "admin_state_up" boolean NOT NULL,
  "status" varchar(32) NOT NULL,
  "vnic_type" varchar(32) NOT NULL,
  "mtu" bigint NOT NULL,
  "vlan_transparency" boolean NOT NULL,
  "profile" longtext,
  "device_id" varchar(64),
  "device_owner" varchar(128),
  "host_id" varchar(64),
  "vif_details" longtext,
  "vif_type" varchar(32),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_test_Port_162a7af4a8" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "test_Interface" (
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
  CONSTRAINT "pk_test_Interface_ea0168e796" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "test_TestService" (
  "id" varchar(64) NOT NULL,
  "_project" varchar(64) NOT NULL,
  "name" varchar(64),
  "description" mediumtext,
  "email" mediumtext,
  "uri" mediumtext,
  "datetime" mediumtext,
  "json" mediumtext,
  "float_num" double,
  "int_num" bigint,
  "enum" varchar(32),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_test_TestService_86fb3eff60" PRIMARY KEY ("id")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE TABLE "test_Note" (
  "uuid" varchar(64) NOT NULL,
  "text" mediumtext,
  "about" varchar(64),
  "ipv6" mediumtext,
  "number" bigint,
  "_project" varchar(64),
  "_revision" bigint NOT NULL,
  "_written" longtext,
  "_created" varchar(26) NOT NULL,
  "_updated" varchar(26) NOT NULL,
  CONSTRAINT "pk_test_Note_67b3c5ea94" PRIMARY KEY ("uuid")
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;
CREATE INDEX "ix_test_Port_587358520b" ON "test_Port" ("_project", "id");
CREATE INDEX "ix_test_Interface_c300ac2d76" ON "test_Interface" ("port_id");
CREATE INDEX "ix_test_Interface_f449585819" ON "test_Interface" ("_project", "id");
ALTER TABLE "test_Interface" ADD CONSTRAINT "fk_test_Interface_c300ac2d76" FOREIGN KEY ("port_id") REFERENCES "test_Port" ("id");
CREATE INDEX "ix_test_TestService_2c17f7c0db" ON "test_TestService" ("_project", "id");
CREATE INDEX "ix_test_Note_7468c9e339" ON "test_Note" ("about");
CREATE INDEX "ix_test_Note_e2c415df88" ON "test_Note" ("_project", "uuid");
ALTER TABLE "test_Note" ADD CONSTRAINT "fk_test_Note_7468c9e339" FOREIGN KEY ("about") REFERENCES "test_TestService" ("id");
