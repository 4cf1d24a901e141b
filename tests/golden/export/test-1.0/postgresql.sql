CREATE TABLE "test_Port" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "mac_address" varchar(18) COLLATE "C" NOT NULL,
  "admin_state_up" boolean NOT NULL,
  "status" varchar(32) COLLATE "C" NOT NULL,
  "vnic_type" varchar(32) COLLATE "C" NOT NULL,
  "mtu" bigint NOT NULL,
  "vlan_transparency" boolean NOT NULL,
  "profile" text COLLATE "C",
  "device_id" varchar(64) COLLATE "C",
  "device_owner" varchar(128) COLLATE "C",
  "host_id" varchar(64) COLLATE "C",
  "vif_details" text COLLATE "C",
  "vif_type" varchar(32) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_test_Port_162a7af4a8" PRIMARY KEY ("id")
);
CREATE TABLE "test_Interface" (
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
  CONSTRAINT "pk_test_Interface_ea0168e796" PRIMARY KEY ("id")
);
CREATE TABLE "test_TestService" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "description" varchar(256) COLLATE "C",
  "email" varchar(255) COLLATE "C",
  "uri" varchar(255) COLLATE "C",
  "datetime" varchar(255) COLLATE "C",
  "json" varchar(255) COLLATE "C",
  "float_num" double precision,
  "int_num" bigint,
  "enum" varchar(32) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_test_TestService_86fb3eff60" PRIMARY KEY ("id")
);
CREATE TABLE "test_Note" (
  "uuid" varchar(64) COLLATE "C" NOT NULL,
  "text" varchar(255) COLLATE "C",
  "about" varchar(64) COLLATE "C",
  "ipv6" varchar(255) COLLATE "C",
  "number" bigint,
  "_project" varchar(64) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_test_Note_67b3c5ea94" PRIMARY KEY ("uuid")
);
CREATE INDEX "ix_test_Port_587358520b" ON "test_Port" ("_project", "id");
CREATE INDEX "ix_test_Interface_c300ac2d76" ON "test_Interface" ("port_id");
CREATE INDEX "ix_test_Interface_f449585819" ON "test_Interface" ("_project", "id");
ALTER TABLE "test_Interface" ADD CONSTRAINT "fk_test_Interface_c300ac2d76" FOREIGN KEY ("port_id") REFERENCES "test_Port" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX "ix_test_TestService_2c17f7c0db" ON "test_TestService" ("_project", "id");
CREATE INDEX "ix_test_Note_7468c9e339" ON "test_Note" ("about" NULLS FIRST);
CREATE INDEX "ix_test_Note_e2c415df88" ON "test_Note" ("_project" NULLS FIRST, "uuid");
ALTER TABLE "test_Note" ADD CONSTRAINT "fk_test_Note_7468c9e339" FOREIGN KEY ("about") REFERENCES "test_TestService" ("id") DEFERRABLE INITIALLY DEFERRED;
