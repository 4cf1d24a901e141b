CREATE TABLE "ietf_sfc_Port" (
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
  CONSTRAINT "pk_ietf_sfc_Port_47fdf40be0" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_Interface" (
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
  CONSTRAINT "pk_ietf_sfc_Interface_bf3ce69f52" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunction" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "description" varchar(256) COLLATE "C",
  "type" varchar(64) COLLATE "C",
  "ip_mgmt_address" varchar(64) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunction_340039b02d" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_SfDataPlaneLocator" (
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "interface_id" varchar(64) COLLATE "C" NOT NULL,
  "service_id" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(255) COLLATE "C",
  "ip" varchar(16) COLLATE "C",
  "l4_port" bigint,
  "transport" varchar(255) COLLATE "C",
  "service_function_forwarder" varchar(255) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SfDataPlaneLocator_1f261cc2b8" PRIMARY KEY ("interface_id")
);
CREATE TABLE "ietf_sfc_SffDataPlaneLocator" (
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "interface_id" varchar(64) COLLATE "C" NOT NULL,
  "service_id" varchar(64) COLLATE "C" NOT NULL,
  "ip" varchar(16) COLLATE "C",
  "l4_port" bigint,
  "mac" varchar(17) COLLATE "C",
  "transport" varchar(255) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SffDataPlaneLocator_c8bfd0e419" PRIMARY KEY ("interface_id")
);
CREATE TABLE "ietf_sfc_SffSfBinding" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "sf_name" varchar(255) COLLATE "C",
  "sff_name" varchar(255) COLLATE "C",
  "sff_dpl_name" varchar(64) COLLATE "C",
  "sf_dpl_name" varchar(64) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SffSfBinding_a762460960" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionForwarder" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "description" varchar(256) COLLATE "C",
  "ip_mgmt_address" varchar(64) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionForwarder_e97bfff373" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_SclSffBinding" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "sff_name" varchar(64) COLLATE "C",
  "scl_name" varchar(64) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_SclSffBinding_908177b221" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionClassifier" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "src_ip" varchar(16) COLLATE "C",
  "dst_ip" varchar(16) COLLATE "C",
  "src_mac" varchar(17) COLLATE "C",
  "dst_mac" varchar(17) COLLATE "C",
  "l4_port" bigint,
  "service_function_chain" varchar(255) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionClassifier_4c10345da1" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionChain" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "sfc_service_functions" varchar(256) COLLATE "C",
  "symmetric" boolean,
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionChain_ff0b60a7ff" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServiceFunctionPath" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "transport_type" varchar(32) COLLATE "C",
  "sfc_encapsulation" varchar(32) COLLATE "C",
  "symmetric" boolean,
  "service_path_hops" varchar(256) COLLATE "C",
  "service_chain_name" varchar(64) COLLATE "C",
  "starting_index" bigint,
  "path_id" bigint,
  "context_metadata" varchar(64) COLLATE "C",
  "variable_metadata" varchar(64) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServiceFunctionPath_3b253b8acb" PRIMARY KEY ("id")
);
CREATE TABLE "ietf_sfc_ServicePathHop" (
  "id" varchar(64) COLLATE "C" NOT NULL,
  "_project" varchar(64) COLLATE "C" NOT NULL,
  "name" varchar(64) COLLATE "C",
  "hop_id" bigint,
  "sf_name" varchar(255) COLLATE "C",
  "sff_name" varchar(255) COLLATE "C",
  "_revision" bigint NOT NULL,
  "_written" text COLLATE "C",
  "_created" varchar(26) COLLATE "C" NOT NULL,
  "_updated" varchar(26) COLLATE "C" NOT NULL,
  CONSTRAINT "pk_ietf_sfc_ServicePathHop_2b3ac9a41a" PRIMARY KEY ("id")
);
CREATE INDEX "ix_ietf_sfc_Port_6018a2e3c2" ON "ietf_sfc_Port" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_Interface_1e494e8395" ON "ietf_sfc_Interface" ("port_id");
CREATE INDEX "ix_ietf_sfc_Interface_16f56c22ba" ON "ietf_sfc_Interface" ("_project", "id");
ALTER TABLE "ietf_sfc_Interface" ADD CONSTRAINT "fk_ietf_sfc_Interface_1e494e8395" FOREIGN KEY ("port_id") REFERENCES "ietf_sfc_Port" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX "ix_ietf_sfc_ServiceFunction_680a2daa35" ON "ietf_sfc_ServiceFunction" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_SfDataPlaneLocator_612553bad0" ON "ietf_sfc_SfDataPlaneLocator" ("_project", "interface_id");
CREATE INDEX "ix_ietf_sfc_SffDataPlaneLocator_2748dc492f" ON "ietf_sfc_SffDataPlaneLocator" ("_project", "interface_id");
CREATE UNIQUE INDEX "uq_ietf_sfc_SffSfBinding_7b672ee0db" ON "ietf_sfc_SffSfBinding" ("sff_dpl_name", "sf_dpl_name");
CREATE INDEX "ix_ietf_sfc_SffSfBinding_8fbe37900a" ON "ietf_sfc_SffSfBinding" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionForwarder_24f0f53711" ON "ietf_sfc_ServiceFunctionForwarder" ("_project", "id");
CREATE UNIQUE INDEX "uq_ietf_sfc_SclSffBinding_fcaa8280e8" ON "ietf_sfc_SclSffBinding" ("sff_name", "scl_name");
CREATE INDEX "ix_ietf_sfc_SclSffBinding_3f87147ed2" ON "ietf_sfc_SclSffBinding" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionClassifier_1aa2c9d0b6" ON "ietf_sfc_ServiceFunctionClassifier" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionChain_2fcce80a0f" ON "ietf_sfc_ServiceFunctionChain" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServiceFunctionPath_97b6a69ba8" ON "ietf_sfc_ServiceFunctionPath" ("_project", "id");
CREATE INDEX "ix_ietf_sfc_ServicePathHop_476364a8cf" ON "ietf_sfc_ServicePathHop" ("_project", "id");
