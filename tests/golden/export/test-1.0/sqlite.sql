CREATE TABLE "test_Port" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "mac_address" VARCHAR(18) NOT NULL,
  "admin_state_up" BOOLEAN NOT NULL,
  "status" VARCHAR(32) NOT NULL,
  "vnic_type" VARCHAR(32) NOT NULL,
  "mtu" BIGINT NOT NULL,
  "vlan_transparency" BOOLEAN NOT NULL,
  "profile" TEXT,
  "device_id" VARCHAR(64),
  "device_owner" VARCHAR(128),
  "host_id" VARCHAR(64),
  "vif_details" TEXT,
  "vif_type" VARCHAR(32),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_test_Port_162a7af4a8" PRIMARY KEY ("id")
);
CREATE TABLE "test_Interface" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "port_id" VARCHAR(64) NOT NULL REFERENCES "test_Port" ("id") DEFERRABLE INITIALLY DEFERRED,
  "segmentation_type" VARCHAR(32) NOT NULL,
  "segmentation_id" BIGINT NOT NULL,
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_test_Interface_ea0168e796" PRIMARY KEY ("id")
);
CREATE TABLE "test_TestService" (
  "id" VARCHAR(64) NOT NULL,
  "_project" VARCHAR(64) NOT NULL,
  "name" VARCHAR(64),
  "description" VARCHAR(256),
  "email" VARCHAR(255),
  "uri" VARCHAR(255),
  "datetime" VARCHAR(255),
  "json" VARCHAR(255),
  "float_num" DOUBLE,
  "int_num" BIGINT,
  "enum" VARCHAR(32),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_test_TestService_86fb3eff60" PRIMARY KEY ("id")
);
CREATE TABLE "test_Note" (
  "uuid" VARCHAR(64) NOT NULL,
  "text" VARCHAR(255),
  "about" VARCHAR(64) REFERENCES "test_TestService" ("id") DEFERRABLE INITIALLY DEFERRED,
  "ipv6" VARCHAR(255),
  "number" BIGINT,
  "_project" VARCHAR(64),
  "_revision" BIGINT NOT NULL,
  "_written" TEXT,
  "_created" VARCHAR(26) NOT NULL,
  "_updated" VARCHAR(26) NOT NULL,
  CONSTRAINT "pk_test_Note_67b3c5ea94" PRIMARY KEY ("uuid")
);
CREATE INDEX "ix_test_Port_587358520b" ON "test_Port" ("_project", "id");
CREATE INDEX "ix_test_Interface_c300ac2d76" ON "test_Interface" ("port_id");
CREATE INDEX "ix_test_Interface_f449585819" ON "test_Interface" ("_project", "id");
CREATE INDEX "ix_test_TestService_2c17f7c0db" ON "test_TestService" ("_project", "id");
CREATE INDEX "ix_test_Note_7468c9e339" ON "test_Note" ("about");
CREATE INDEX "ix_test_Note_e2c415df88" ON "test_Note" ("_project", "uuid");
